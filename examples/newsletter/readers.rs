//! The list of readers.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};
use smtplib::Address;

pub(crate) struct Reader {
    pub(crate) address: Address,
    columns: Arc<StringRecord>,
    values: StringRecord,
}

impl Reader {
    /// What the reader has in this column, if there is such a column.
    pub(crate) fn get(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|known| known == column)?;
        self.values.get(place)
    }

    pub(crate) fn name(&self) -> &str {
        self.get("name").unwrap_or_default()
    }
}

/// Reads the list. A reader who is in it twice gets one message.
pub(crate) fn read(path: &Path) -> Result<Vec<Reader>, String> {
    let wrong = |reason: &dyn ToString| format!("{}: {}", path.display(), reason.to_string());
    let mut builder = ReaderBuilder::new();
    let csv = builder.trim(Trim::All).from_path(path);
    let mut csv = csv.map_err(|error| wrong(&error))?;
    let columns = Arc::new(csv.headers().map_err(|error| wrong(&error))?.clone());
    let email = columns.iter().position(|column| column == "email");
    let email = email.ok_or_else(|| wrong(&"there is no column email"))?;

    let (mut readers, mut seen) = (Vec::new(), HashSet::new());
    for values in csv.records() {
        let values = values.map_err(|error| wrong(&error))?;
        let text = values.get(email).unwrap_or_default();
        let address: Address = text.parse().map_err(|reason| {
            let line = values.position().map_or(0, csv::Position::line);
            wrong(&format_args!(
                "line {line}: {text:?} is not an address: {reason}"
            ))
        })?;
        if seen.insert(address.clone()) {
            let columns = Arc::clone(&columns);
            readers.push(Reader {
                address,
                columns,
                values,
            });
        }
    }
    Ok(readers)
}
