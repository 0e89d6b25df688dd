/// Rows of text in columns: numbers to the right, the last column as long as it likes.
package struct Table {
    /// How a column lies.
    package enum Alignment: Sendable { case left, right }

    private let alignments: [Alignment]
    private var rows: [[String]]
    private let indentation: Int

    /// - Parameter columns: title and alignment of each.
    package init(_ columns: [(title: String, alignment: Alignment)], indentation: Int = 2) {
        alignments = columns.map(\.alignment)
        rows = [columns.map(\.title)]
        self.indentation = indentation
    }

    package mutating func add(_ row: [String]) {
        rows.append(row.map { Terminal.printable($0).split(whereSeparator: \.isNewline).joined(separator: " ") })
    }

    /// The lines; nothing but titles give no line.
    package var lines: [String] {
        if rows.count < 2 { return [] }
        let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = String(repeating: " ", count: indentation)
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                let isLast = column == row.count - 1
                line += alignments[column] == .right ? gap + cell : cell + (isLast ? "" : gap)
                if !isLast { line += "  " }
            }
            return line
        }
    }
}
