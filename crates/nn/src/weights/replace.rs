//! Files that are always whole.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces a file by these bytes, all or none: they are written to a temporary file beside it, `.name.tmp`, which is
/// synced and renamed. Whoever opens the file, even after a crash, finds what it was before or what it is now.
///
/// # Source
/// T. Pillai et al., *All file systems are not created equal: on the complexity of crafting crash-consistent
/// applications* (2014), section 2.2.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (folder, temporary) = beside(path)?;
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    // The new name is durable when the folder is. Not every system can sync one.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The folder of a file, and the temporary file beside it.
fn beside(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".tmp");
    Ok((folder.to_owned(), folder.join(temporary)))
}
