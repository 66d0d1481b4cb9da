//! Files that are always whole.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// Replaces a file by these bytes, all or none: they are written to a temporary file beside it, which is synced and
/// renamed. Whoever opens the file, even after a crash, finds what it was before or what it is now.
///
/// # Source
/// T. Pillai et al., *All file systems are not created equal: on the complexity of crafting crash-consistent
/// applications* (2014), section 2.2.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &followed(path)?;
    let old = replaceable(path)?;
    let folder = folder(path);
    // Opened before anything is written. One that may not be read cannot be synced.
    let opened = File::open(folder).ok();
    remove_leftovers(folder);

    let (mut file, temporary) = Temporary::create(folder, old.is_some())?;
    file.write_all(bytes)?;
    if let Some(old) = old {
        keep_owner(&file, &old);
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()?;
    fs::rename(&temporary.0, path)?;
    // The new name is durable when the folder is. Not every system can sync one.
    match opened.filter(|_| cfg!(unix)).map_or(Ok(()), |folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

/// The path at the end of a chain of symbolic links, where there may be no file yet.
fn followed(path: &Path) -> io::Result<PathBuf> {
    // As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST {
        match fs::read_link(&path) {
            Ok(target) => path = folder(&path).join(target),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "symbolic links that lead to one another"))
}

/// The metadata of the file to replace, if there is one; an error unless it is a file that may be written.
fn replaceable(path: &Path) -> io::Result<Option<Metadata>> {
    // The last component of `a/..` is no name of a file.
    if path.file_name().is_none() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "a path without the name of a file"));
    }
    match fs::symlink_metadata(path) {
        Ok(old) if old.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "a directory")),
        Ok(old) if !old.is_file() => Err(io::Error::new(ErrorKind::InvalidInput, "a device, pipe or socket")),
        Ok(old) if old.permissions().readonly() => {
            Err(io::Error::new(ErrorKind::PermissionDenied, "a file that is read-only"))
        }
        Ok(old) => Ok(Some(old)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The path of a temporary file, which is removed when this is dropped, unless it has been renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// A new file in a folder, locked for as long as it is open. A file that is to have the permissions of another is
    /// readable by its owner alone before that.
    fn create(folder: &Path, private: bool) -> io::Result<(File, Self)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true); // never follows a link
        #[cfg(unix)]
        if private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = private;
        loop {
            let path = folder.join(name());
            let file = match options.open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            let temporary = Temporary(path);
            // Whoever has it locked has taken it for a leftover before the lock was here. Where files cannot be locked,
            // leftovers are not removed.
            let taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
            if !taken && temporary.0.exists() {
                return Ok((file, temporary));
            }
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const PREFIX: &str = ".retrograde-";
const SUFFIX: &str = ".tmp";
const DIGITS: usize = 32;

/// The name of a temporary file, which no other process, thread or call has: `.retrograde-`, 32 digits, `.tmp`.
fn name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed) as u32;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{PREFIX}{:08x}{call:08x}{:016x}{SUFFIX}", std::process::id(), now.as_nanos() as u64)
}

/// Removes the temporary files of processes that were killed: those that are not locked. Failing is no reason not to
/// write.
fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file()); // not a link
        if is_file && entry.file_name().to_str().is_some_and(is_temporary) {
            let path = entry.path();
            // Locked until it is removed: between the two, its owner could lock it and go on.
            if let Ok(file) = OpenOptions::new().write(true).open(&path)
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(path);
            }
        }
    }
}

fn is_temporary(name: &str) -> bool {
    let digits = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Gives a file the owner of another, where the process may do that.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let _ = fchown(file, Some(old.uid()), Some(old.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &File, _: &Metadata) {}
