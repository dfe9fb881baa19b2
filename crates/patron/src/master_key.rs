//! `patron master-key`: makes the key under which personal data is sealed.

use std::path::PathBuf;

use vault::MasterKeys;

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to make, readable to you alone; one that is there is never written over.
    file: PathBuf,
    /// Leave a good file that is there as it is: for scripts that may run twice.
    #[arg(long)]
    keep: bool,
}

/// Makes the file.
#[expect(
    clippy::print_stdout,
    reason = "this is where a person or a script reads it"
)]
pub fn run(args: &Args) -> anyhow::Result<()> {
    let file = args.file.display();
    if args.keep && args.file.exists() {
        MasterKeys::load(&args.file)?;
        println!("{file} holds a master key already");
        return Ok(());
    }
    MasterKeys::create(&args.file)?;
    println!(
        "made {file}: give it to every instance with --master-key, and keep a copy apart from the journal. Whoever \
         loses it loses all personal data; whoever reads it and the keys can read all of it"
    );
    Ok(())
}
