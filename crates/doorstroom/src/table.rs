//! Tables for people: columns as wide as their widest cell, numbers to the right.

use std::fmt;

/// A heading and rows of as many cells.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    is_bare: bool,
}

#[derive(Debug)]
struct Column {
    heading: String,
    right: bool,
    width: usize,
}

impl Table {
    /// A table with these headings; one that begins with `>` stands to the right, as its cells do.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let column = |heading: &&str| {
            let bare = heading.trim_start_matches('>');
            Column {
                heading: bare.to_owned(),
                right: bare.len() < heading.len(),
                width: bare.chars().count(),
            }
        };
        Self { columns: headings.iter().map(column).collect(), rows: Vec::new(), is_bare: false }
    }

    /// The same without its headings.
    pub(crate) fn bare(self) -> Self {
        Self { is_bare: true, ..self }
    }

    /// Whether there is no row.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One more row, of text that is fit to be shown.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| domain::plain(&cell)).collect();
        for (column, cell) in self.columns.iter_mut().zip(&cells) {
            column.width = column.width.max(cell.chars().count());
        }
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_bare {
            write_row(f, &self.columns, self.columns.iter().map(|column| column.heading.as_str()))?;
        }
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 || !self.is_bare {
                f.write_str("\n")?;
            }
            write_row(f, &self.columns, row.iter().map(String::as_str))?;
        }
        Ok(())
    }
}

fn write_row<'a>(
    f: &mut fmt::Formatter<'_>,
    columns: &[Column],
    cells: impl Iterator<Item = &'a str>,
) -> fmt::Result {
    let mut line = String::new();
    for (column, cell) in columns.iter().zip(cells) {
        let gap = " ".repeat(column.width.saturating_sub(cell.chars().count()));
        let (before, after) = if column.right { (&*gap, "") } else { ("", &*gap) };
        line.extend([before, cell, after, "  "]);
    }
    f.write_str(line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_to_the_right() {
        let mut table = Table::new(&["outcome", ">events"]);
        table.row(["recorded".to_owned(), "1200".to_owned()]);
        table.row(["duplicate".to_owned(), "7".to_owned()]);
        assert_eq!(table.to_string(), "outcome    events\nrecorded     1200\nduplicate       7");
    }

    #[test]
    fn a_cell_cannot_move_the_cursor_or_turn_what_stands_beside_it() {
        let mut table = Table::new(&["name"]);
        table.row(["\x1b[2Jx".to_owned()]);
        table.row(["Jansen\u{202e}\u{2066}".to_owned()]);
        assert_eq!(table.to_string(), "name\n\u{fffd}[2Jx\nJansen\u{fffd}\u{fffd}");
    }
}
