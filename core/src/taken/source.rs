//! Where dates are read, and how far they can be believed.

use crate::words::words;

/// Where a date was read, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// An XMP file beside the picture: the user's own correction.
    Sidecar,
    /// EXIF: when the picture was taken.
    Exif,
    /// The same, with the offset from the satellites' time.
    ExifPlaced,
    /// EXIF: when the picture became digital.
    ExifDigitized,
    /// An XMP packet inside of the file.
    Xmp,
    /// A film's creation date as Apple writes it, with its offset.
    QuickTime,
    /// What a camcorder writes into its stream, or an AVI film says.
    Recorder,
    /// A film's header: UTC by the book, though some cameras write local time.
    FilmHeader,
    /// The satellites' time.
    Satellites,
    /// EXIF: when the file was last changed.
    ExifChanged,
    /// What a service files it under: read by the service, or set there by hand; it does not say which.
    Service,
    /// The name of the file.
    Name,
    /// When the file was last modified: what is left when nothing else is.
    Modified,
}

words!(Source {
    Sidecar "sidecar"
    Exif "exif"
    ExifPlaced "exif-placed"
    ExifDigitized "exif-digitized"
    Xmp "xmp"
    QuickTime "quicktime"
    Recorder "recorder"
    FilmHeader "film-header"
    Satellites "satellites"
    ExifChanged "exif-changed"
    Service "service"
    Name "name"
    Modified "modified"
});

impl Source {
    /// The words for people.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Sidecar => "XMP sidecar",
            Self::Exif => "EXIF",
            Self::ExifPlaced => "EXIF, offset from GPS",
            Self::ExifDigitized => "EXIF, digitized",
            Self::Xmp => "XMP",
            Self::QuickTime => "QuickTime",
            Self::Recorder => "recorder",
            Self::FilmHeader => "film header",
            Self::Satellites => "GPS",
            Self::ExifChanged => "EXIF, changed",
            Self::Service => "service",
            Self::Name => "file name",
            Self::Modified => "file date",
        }
    }
}

/// How far a date can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// A hint: copying changes it.
    Weak,
    /// Probably.
    Fair,
    /// The camera or the user said so.
    Good,
    /// So did they, and the point in time is known.
    Sure,
}

words!(Confidence {
    Weak "weak"
    Fair "fair"
    Good "good"
    Sure "sure"
});
