//! The data directory: made for its owner only, used by one server at a time, and the place where this node's name is kept.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
};

use super::StartError;

const LOCK: &str = "kabar.lock";
const NODE: &str = "node.id";

/// Held as long as the server runs; the operating system lets go of it even after a crash.
pub struct Lock(#[expect(dead_code, reason = "held, never read")] File);

/// Makes the directory and takes it.
pub fn take(path: &Path) -> Result<Lock, StartError> {
    let unusable = |source| StartError::DataDir {
        path: path.display().to_string(),
        source,
    };
    make(path).map_err(unusable)?;
    let file = open(&path.join(LOCK)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StartError::InUse(path.display().to_string())),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

/// This node's name, the same after every start: what it held before a crash is its own again.
pub fn node_name(path: &Path) -> Result<String, StartError> {
    let unusable = |source| StartError::DataDir {
        path: path.display().to_string(),
        source,
    };
    let file = path.join(NODE);
    match fs::read_to_string(&file) {
        Ok(name) if !name.trim().is_empty() => Ok(name.trim().to_owned()),
        Ok(_) => write_name(&file).map_err(unusable),
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_name(&file).map_err(unusable),
        Err(error) => Err(unusable(error)),
    }
}

fn write_name(file: &Path) -> io::Result<String> {
    let name = format!(
        "node_{}",
        entity::id::encode_base32(crate::clock::new_id::<uuid::Uuid>().as_u128())
    );
    fs::write(file, &name)?;
    Ok(name)
}

fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_at_a_time_and_one_name_for_ever() {
        let temporary = tempfile::tempdir().expect("a folder");
        let path = temporary.path().join("new");
        let lock = take(&path).expect("it is free");
        assert!(matches!(take(&path), Err(StartError::InUse(_))));
        drop(lock);
        assert!(take(&path).is_ok());
        assert_eq!(node_name(&path).ok(), node_name(&path).ok());
    }
}
