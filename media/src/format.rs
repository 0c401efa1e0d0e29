//! The formats that can be told, their words, classes and usual endings.

use std::fmt;

use safelight_core::class::MediaClass;

/// A format of files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Format {
    word: &'static str,
    class: MediaClass,
    endings: &'static [&'static str],
}

impl Format {
    /// The word for it in the catalog, reports and JSON, such as `jpeg` or `cr3`.
    pub const fn word(self) -> &'static str {
        self.word
    }

    /// What files of this format are, whatever they are called.
    pub const fn class(self) -> MediaClass {
        self.class
    }

    /// Whether files of this format usually have this ending (lower case, without the dot).
    pub fn goes_by(self, ending: &str) -> bool {
        self.endings.contains(&ending)
    }

    /// The format of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        ALL.iter().copied().find(|format| format.word == word)
    }

    /// The raw format inside of TIFF that goes by this ending.
    pub(crate) fn raw_in_tiff(ending: &str) -> Option<Self> {
        TIFF_RAW.iter().copied().find(|format| format.goes_by(ending))
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)
    }
}

macro_rules! formats {
    ($($name:ident $word:literal $class:ident [$($ending:literal)*])*) => {
        $(pub(crate) const $name: Format =
            Format { word: $word, class: MediaClass::$class, endings: &[$($ending),*] };)*

        /// Every format.
        pub(crate) const ALL: &[Format] = &[$($name),*];
    };
}

formats! {
    JPEG "jpeg" Photo ["jpg" "jpeg" "jpe" "jfif" "thm" "mpo" "insp"]
    HEIC "heic" Photo ["heic" "heif" "hif"]
    HEIF "heif" Photo ["heic" "heif" "hif" "avif"]
    AVIF "avif" Photo ["avif"]
    PNG "png" Photo ["png"]
    GIF "gif" Photo ["gif"]
    WEBP "webp" Photo ["webp"]
    TIFF "tiff" Photo ["tif" "tiff"]
    BMP "bmp" Photo ["bmp"]
    JXL "jxl" Photo ["jxl"]
    JP2 "jp2" Photo ["jp2" "jpx" "jpf" "j2k" "j2c"]
    PSD "psd" Photo ["psd" "psb"]

    CR2 "cr2" Raw ["cr2"]
    CR3 "cr3" Raw ["cr3" "crm"]
    CRW "crw" Raw ["crw"]
    DNG "dng" Raw ["dng" "gpr"]
    RAF "raf" Raw ["raf"]
    ORF "orf" Raw ["orf"]
    RW2 "rw2" Raw ["rw2" "raw" "rwl"]
    X3F "x3f" Raw ["x3f"]
    MRW "mrw" Raw ["mrw"]
    NEF "nef" Raw ["nef"]
    NRW "nrw" Raw ["nrw"]
    ARW "arw" Raw ["arw"]
    SR2 "sr2" Raw ["sr2"]
    SRF "srf" Raw ["srf"]
    PEF "pef" Raw ["pef"]
    SRW "srw" Raw ["srw"]
    TFR "3fr" Raw ["3fr"]
    FFF "fff" Raw ["fff"]
    IIQ "iiq" Raw ["iiq"]
    DCR "dcr" Raw ["dcr"]
    KDC "kdc" Raw ["kdc"]
    ERF "erf" Raw ["erf"]
    MEF "mef" Raw ["mef"]
    MOS "mos" Raw ["mos"]
    RWL "rwl" Raw ["rwl"]
    RAW "raw" Raw ["raw"]
    RAW_TIFF "raw-tiff" Raw ["tif" "tiff"]

    MP4 "mp4" Video ["mp4" "m4v" "mov" "qt" "lrv" "insv" "3gp"]
    QUICKTIME "quicktime" Video ["mov" "qt" "mp4" "m4v"]
    THREE_GP "3gp" Video ["3gp" "3g2" "mp4"]
    XAVC "xavc" Video ["mp4"]
    AVI "avi" Video ["avi"]
    MATROSKA "matroska" Video ["mkv"]
    WEBM "webm" Video ["webm" "mkv"]
    M2TS "m2ts" Video ["mts" "m2ts"]
    TS "ts" Video ["ts" "mts" "m2ts"]
    MPEG "mpeg" Video ["mpg" "mpeg"]
    ASF "asf" Video ["wmv" "asf"]
    FLV "flv" Video ["flv"]
    OGG_VIDEO "ogg-video" Video ["ogv"]

    XMP "xmp" Sidecar ["xmp"]
    AAE "aae" Sidecar ["aae"]
    PP3 "pp3" Sidecar ["pp3"]
    DOP "dop" Sidecar ["dop"]
    TAKEOUT_JSON "takeout-json" Sidecar ["json"]

    APPLE_DOUBLE "apple-double" Other []
    MP4_AUDIO "mp4-audio" Other ["m4a" "m4b"]
    OGG_AUDIO "ogg-audio" Other ["ogg" "oga" "opus"]
    ASF_AUDIO "asf-audio" Other ["wma"]
    MATROSKA_AUDIO "matroska-audio" Other ["mka"]
    WAV "wav" Other ["wav"]
    MP3 "mp3" Other ["mp3"]
    FLAC "flac" Other ["flac"]
    PDF "pdf" Other ["pdf"]
    ZIP "zip" Other ["zip"]
    GZIP "gzip" Other ["gz" "tgz"]
    SEVEN_ZIP "7z" Other ["7z"]
    RAR "rar" Other ["rar"]
    HTML "html" Other ["html" "htm"]
    XML "xml" Other ["xml"]
    JSON "json" Other ["json"]
    ISO_BMFF "iso-bmff" Other []
}

/// Raw formats that are TIFF files without a mark of their own at the front.
const TIFF_RAW: &[Format] = &[
    DNG, NEF, NRW, ARW, SR2, SRF, PEF, SRW, TFR, FFF, IIQ, DCR, KDC, ERF, MEF, MOS, RWL, RAW, CR2,
];
