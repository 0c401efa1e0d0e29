//! Paths with blanks at their ends: OpenDAL's operator takes those away, the services below it do not.

use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use opendal::options::ReaderOptions;
use opendal::raw::{OpRead, OpStat};
use opendal::{Buffer, BytesRange, ErrorKind, Metadata, Operator};

/// Bytes as OpenDAL gives them.
pub(crate) type Buffers = BoxStream<'static, opendal::Result<Buffer>>;

/// What stands at `path`.
pub(crate) async fn stat(operator: &Operator, path: &str) -> opendal::Result<Metadata> {
    if is_tidy(path) {
        return operator.stat(path).await;
    }
    let found = operator.service().stat_dyn(operator.context(), path, OpStat::new()).await?;
    Ok(found.into_metadata())
}

/// The bytes at `path`, and what they are a part of. The condition is only made where the path is tidy, so the version
/// has to be compared too.
pub(crate) async fn read(
    operator: &Operator,
    path: &str,
    range: BytesRange,
    if_match: Option<String>,
) -> opendal::Result<(Metadata, Buffers)> {
    if !is_tidy(path) {
        let reader = operator.service().read_dyn(operator.context(), path, OpRead::new())?;
        let (told, bytes) = reader.open_dyn(range).await?;
        let found = match told.into_metadata() {
            Some(found) => found,
            None => stat(operator, path).await?,
        };
        let buffers = stream::try_unfold(bytes, |mut bytes| async move {
            let buffer = bytes.read_dyn().await?;
            Ok((!buffer.is_empty()).then_some((buffer, bytes)))
        });
        return Ok((found, buffers.boxed()));
    }
    let options = ReaderOptions { if_match, ..ReaderOptions::default() };
    let mut bytes = operator.reader_options(path, options).await?.into_stream(range).await?;
    let found = match bytes.metadata().await {
        Err(error) if error.kind() == ErrorKind::Unsupported => operator.stat(path).await?,
        found => found?,
    };
    Ok((found, bytes.into_stream().boxed()))
}

fn is_tidy(path: &str) -> bool {
    path.trim() == path
}
