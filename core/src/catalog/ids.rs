//! The numbers by which the catalog knows things.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);
    };
}

id!(
    /// An item of the library. Ids grow in the order in which items were first seen.
    ItemId
);

id!(
    /// A destination that the catalog knows.
    DestinationId
);

id!(
    /// Something kept in a destination's trash or among its versions.
    RetainedId
);

id!(
    /// One run of a job.
    RunId
);

impl RunId {
    /// What is told like a run and is none: no catalog knows it.
    pub const NONE: Self = Self(0);
}
