//! Properties that must hold for any input from the network or the caller, one for each fuzz
//! target.
//!
//! `fuzz/` runs them with libFuzzer, and the tests run them with the seeds in that folder.
//! `fuzz/README.md` describes each property.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a property panics where it does not hold"
)]

mod address;
mod capabilities;
mod command;
mod cutter;
pub(crate) mod exchange;
mod reply_parser;
mod sasl;
#[cfg(feature = "scram")]
mod scram;
mod session;
mod url;
mod xtext;

/// Makes a public function for each property, and a list of them for the tests.
macro_rules! targets {
    ($($(#[$condition:meta])? $name:ident: $property:path,)*) => {
        $(
            $(#[$condition])?
            /// Checks the property of the fuzz target with this name. Panics if it does not hold.
            pub fn $name(data: &[u8]) {
                $property(data);
            }
        )*

        #[cfg(test)]
        const TARGETS: &[(&str, fn(&[u8]))] = &[$($(#[$condition])? (stringify!($name), $name)),*];
    };
}

targets! {
    address: address::check,
    capabilities: capabilities::check,
    command: command::check,
    data: crate::protocol::data::fuzz_data,
    exchange: exchange::check,
    header: crate::message::properties::fuzz_header,
    message: crate::message::properties::fuzz_message,
    place: crate::places::properties::fuzz_place,
    reply_parser: reply_parser::check,
    sasl: sasl::check,
    #[cfg(feature = "scram")]
    scram: scram::check,
    session: session::check,
    url: url::check,
    xtext: xtext::check,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::TARGETS;

    /// The folder `fuzz/`. The published package does not have it, so it has no seeds.
    fn directory() -> Option<PathBuf> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        directory.exists().then_some(directory)
    }

    fn paths(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory)
            .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn names(directory: &Path) -> BTreeSet<String> {
        let name = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        paths(directory).into_iter().map(name).collect()
    }

    #[test]
    fn every_seed_keeps_its_property() {
        let Some(fuzz) = directory() else { return };
        for (name, property) in TARGETS {
            let seeds = paths(&fuzz.join("seeds").join(name));
            assert!(!seeds.is_empty(), "{name} has no seeds");
            for seed in seeds {
                println!("{}", seed.display());
                property(&fs::read(&seed).unwrap());
            }
        }
    }

    #[test]
    fn targets_properties_and_seeds_belong_together() {
        let Some(fuzz) = directory() else { return };
        let names_of_properties = TARGETS.iter().map(|(name, _)| (*name).to_owned());
        let mut properties: BTreeSet<String> = names_of_properties.collect();
        // The property `scram` exists only with the feature `scram`, but its fuzz target always.
        properties.insert("scram".to_owned());
        assert_eq!(names(&fuzz.join("fuzz_targets")), properties);
        assert_eq!(names(&fuzz.join("seeds")), properties);
        let known = |name: &String| properties.contains(name);
        assert!(names(&fuzz.join("dictionaries")).iter().all(known));
    }
}
