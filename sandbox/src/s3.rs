//! S3: a server written by others (`s3s-fs`), with its objects in a folder.
//!
//! Known limits of that server: it keeps side-car files whose names hold the Base64 of the key, so a key that
//! is longer than [`S3Sandbox::longest_key`] is answered with 500; an object and a "folder" of the same name
//! exclude each other; conditions on reading, copying and removing are not looked at; checksums of parts are neither
//! checked nor answered. What it does wrong beyond that is put right in `strict.rs`.

use std::path::Path;

use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;

use crate::loopback::Loopback;
use crate::strict::Strict;
use crate::traffic::Traffic;

/// A running S3 server with one bucket, good for the life of this value.
#[derive(Debug)]
pub struct S3Sandbox {
    loopback: Loopback,
    traffic: Traffic,
    bucket: String,
    access_key_id: String,
    secret_access_key: Secret,
}

impl S3Sandbox {
    /// Starts a server over `folder`, which is made if it is not there, with a bucket called `bucket` and keys
    /// that nobody else knows. What an earlier server left in the folder is served again.
    ///
    /// # Errors
    /// [`Kind::Name`] if `bucket` is no plain name; those of the file system.
    pub async fn start(folder: &Path, bucket: &str) -> Result<Self> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if !bucket.chars().all(plain) || !bucket.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Error::new(Kind::Name, format!("no name for a bucket: {bucket:?}")));
        }
        let failed = |error| Error::io(error, format!("the sandbox in {}", folder.display()));
        tokio::fs::create_dir_all(folder.join(bucket)).await.map_err(failed)?;
        let files = FileSystem::new(folder).map_err(|error| {
            let context = format!("the sandbox in {}", folder.display());
            Error::new(Kind::Io, context).source(format!("{error:?}"))
        })?;
        let (access_key_id, secret) = (random_word(10)?, random_word(20)?);
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(access_key_id.clone(), secret.clone()));
        let service = Strict::new(service.build(), folder);
        let traffic = Traffic::default();
        let loopback = Loopback::serve(traffic.clone(), move |request| {
            let service = service.clone();
            async move { service.answer(request).await }
        })
        .await?;
        let secret_access_key = Secret::new(secret);
        let bucket = bucket.to_owned();
        Ok(Self { loopback, traffic, bucket, access_key_id, secret_access_key })
    }

    /// The address to use as `endpoint`, `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        self.loopback.url()
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The longest name of an object, in bytes, that it can hold however the object is sent.
    pub fn longest_key(&self) -> usize {
        // `.bucket-B.object-K.upload-UUID.metadata.json` must be a file name; B and K are Base64.
        let room = 255 - 74 - self.bucket.len().div_ceil(3) * 4;
        room * 3 / 4
    }

    /// The name of the key that opens it.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret that belongs to it.
    pub fn secret_access_key(&self) -> &Secret {
        &self.secret_access_key
    }

    /// Counts its requests, and spoils them.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Ends it after the requests that have begun.
    pub async fn stop(self) {
        self.loopback.stop().await;
    }
}

fn random_word(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random)
        .map_err(|error| Error::new(Kind::Internal, "no random numbers").source(error))?;
    Ok(hex::encode(random))
}
