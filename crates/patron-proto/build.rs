//! Compiles the contract in `proto/`: messages, clients and servers, and the full descriptor set.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use protox::Compiler;
use tonic_prost_build::Config;

/// Where the contract lies, seen from this crate.
const CONTRACT: &str = "../../proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={CONTRACT}");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);

    let mut compiler = Compiler::new([CONTRACT])?;
    compiler.include_imports(true).include_source_info(true);
    for file in proto_files(Path::new(CONTRACT))? {
        compiler.open_file(file)?;
    }

    // The encoded set keeps the options of `google.api` and `patron.type`; the typed one knows no
    // extensions and would drop them.
    fs::write(
        out.join("patron.binpb"),
        compiler.encode_file_descriptor_set(),
    )?;

    let mut config = Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .bytes(".patron.journal.v1")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    Ok(())
}

/// Every `.proto` file below `folder`, in a fixed order, so that each build writes the same bytes.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
