//! [`Table`]: figures, each with its ratio to the first row's.

const NAME: usize = 24;

pub struct Table {
    rows: Vec<(String, Vec<Option<f64>>)>,
}

impl Table {
    pub fn new(title: String, columns: &[&str]) -> Self {
        print!("\n{title}\n| {:<NAME$} |", "client");
        for column in columns {
            print!(" {column:>12} | ratio |");
        }
        print!("\n|{}|", "-".repeat(NAME + 2));
        for _ in columns {
            print!("-------------:|------:|");
        }
        println!();
        Self { rows: Vec::new() }
    }

    pub fn row(&mut self, name: &str, figures: &[Option<f64>]) {
        self.rows.push((name.to_owned(), figures.to_vec()));
    }

    pub fn print(&self) {
        let Some((_, first)) = self.rows.first() else {
            return;
        };
        for (name, figures) in &self.rows {
            print!("| {name:<NAME$} |");
            for (figure, first) in figures.iter().zip(first) {
                let ratio = figure.zip(*first).map(|(figure, first)| figure / first);
                print!(" {:>12} | {:>5} |", shown(*figure), shown(ratio));
            }
            println!();
        }
    }
}

/// Three digits that count, or nothing.
fn shown(figure: Option<f64>) -> String {
    match figure {
        None => String::new(),
        Some(figure) if figure.abs() >= 100.0 => format!("{figure:.0}"),
        Some(figure) if figure.abs() >= 10.0 => format!("{figure:.1}"),
        Some(figure) => format!("{figure:.2}"),
    }
}

pub fn median(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied()
}
