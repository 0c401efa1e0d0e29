//! OpenDAL services as destinations: S3 and compatibles first.
