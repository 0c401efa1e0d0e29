//! Columns that line up.

/// Rows of cells; numbers stand to the right.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<Cell>>,
}

/// One cell.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Stands to the left.
    Left(String),
    /// Stands to the right.
    Right(String),
    /// Stands to the left and does not make its column wider; for the last cell of a row.
    Loose(String),
}

impl Cell {
    fn text(&self) -> &str {
        match self {
            Self::Left(text) | Self::Right(text) | Self::Loose(text) => text,
        }
    }
}

/// A cell that stands to the left.
pub fn left(text: impl Into<String>) -> Cell {
    Cell::Left(text.into())
}

/// A cell that stands to the right.
pub fn right(text: impl Into<String>) -> Cell {
    Cell::Right(text.into())
}

/// A cell that does not make its column wider.
pub fn loose(text: impl Into<String>) -> Cell {
    Cell::Loose(text.into())
}

impl Table {
    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines with `gap` between the columns and no blanks at the ends of lines.
    pub fn render(&self, gap: &str) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let cells = cells.filter(|cell| !matches!(cell, Cell::Loose(_)));
            cells.map(|cell| cell.text().chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| match cell {
                    Cell::Left(text) => format!("{text:<width$}"),
                    Cell::Right(text) => format!("{text:>width$}"),
                    Cell::Loose(text) => text.clone(),
                })
                .collect();
            text.push_str(cells.join(gap).trim_end());
            text.push('\n');
        }
        text
    }
}
