//! What a service knows about its items beyond their bytes: albums, favourites, captions. It is lost with the
//! service unless somebody takes it along.

use std::sync::Arc;

use crate::taken::Taken;

/// Everything of this kind that a service holds. Members and remarks name objects by their `remote_id`, as listings
/// tell it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// Albums, empty ones included, in the order that the service shows them.
    pub albums: Vec<Album>,
    /// One for each object of which there is something to say.
    pub remarks: Vec<Remark>,
}

/// An album. It refers to objects and holds none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Album {
    /// The service's name for it; titles need not differ.
    pub remote_id: Arc<str>,
    /// Its title.
    pub title: String,
    /// What is said about it.
    pub description: Option<String>,
    /// What is in it, in its order.
    pub members: Vec<Arc<str>>,
}

/// What is known of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The object.
    pub remote_id: Arc<str>,
    /// It is a favourite.
    pub favourite: bool,
    /// It is not shown by default.
    pub hidden: bool,
    /// What is said about it.
    pub caption: Option<String>,
    /// Words that it was filed under by a person.
    pub keywords: Vec<String>,
    /// The date that the service files it under. It may have been set there by hand; the file does not know then.
    pub taken: Option<Taken>,
    /// The still that it is the film of, where the service keeps the two as one.
    pub film_of: Option<Arc<str>>,
}

impl Remark {
    /// Nothing to say yet about this object.
    pub const fn new(remote_id: Arc<str>) -> Self {
        Self {
            remote_id,
            favourite: false,
            hidden: false,
            caption: None,
            keywords: Vec::new(),
            taken: None,
            film_of: None,
        }
    }
}
