import Boxes

/// Everything that an evaluation found out, in the order in which it is read. ``ReportFolder`` writes it down.
public struct EvaluationReport: Sendable {
    /// A statement about how the figures came about.
    public struct ProtocolItem: Sendable, Hashable {
        public var name: String, text: String

        public init(_ name: String, _ text: String) {
            (self.name, self.text) = (name, text)
        }
    }

    /// One figure.
    public struct Figure: Sendable, Hashable {
        public enum Unit: Sendable, Hashable {
            /// 0…1, shown in percent.
            case share
            case number
        }

        /// In JSON.
        public var key: String
        public var name: String
        /// Nil where nothing counts for it.
        public var value: Double?
        public var unit: Unit
        /// What JSON has for nil: the reference programs of detection write -1.
        public var absence: Double?

        public init(_ key: String, _ name: String, _ value: Double?, _ unit: Unit = .share, absence: Double? = nil) {
            (self.key, self.name, self.value, self.unit, self.absence) = (key, name, value, unit, absence)
        }
    }

    /// How many of something there were.
    public struct Count: Sendable, Hashable {
        public var key: String, name: String
        public var value: Int

        public init(_ key: String, _ name: String, _ value: Int) {
            (self.key, self.name, self.value) = (key, name, value)
        }
    }

    public var title: String
    /// Read first: a figure means nothing without it.
    public var protocolItems: [ProtocolItem]
    public var figures: [Figure]
    public var counts: [Count]
    /// Nil where no model was asked.
    public var faults: AnswerFaults?
    public var sections: [ReportSection]

    public init(
        title: String, protocolItems: [ProtocolItem], figures: [Figure], counts: [Count], faults: AnswerFaults? = nil,
        sections: [ReportSection] = []
    ) {
        (self.title, self.protocolItems, self.figures) = (title, protocolItems, figures)
        (self.counts, self.faults, self.sections) = (counts, faults, sections)
    }

    /// Those of answers among them.
    public var allCounts: [Count] {
        counts
            + (faults.map {
                [
                    Count("malformed_answers", "malformed answers", $0.malformed),
                    Count("truncated_answers", "truncated answers", $0.truncated),
                    Count("empty_answers", "empty answers", $0.empty),
                ]
            } ?? [])
    }
}

/// A part of a report.
public struct ReportSection: Sendable {
    public enum Content: Sendable {
        case table(ReportTable)
        case charts([ReportChart])
        case matrix(ReportMatrix)
        case pictures([ReportPicture])
    }

    /// In JSON.
    public var key: String
    public var title: String
    /// How to read it.
    public var note: String?
    /// What it is about, in reports about several things: sections of a part follow one another.
    public var part: String?
    public var content: Content

    public init(_ key: String, _ title: String, note: String? = nil, part: String? = nil, _ content: Content) {
        (self.key, self.title, self.note, self.part, self.content) = (key, title, note, part, content)
    }

    /// As a section of a part of a larger report.
    func within(_ part: String) -> ReportSection {
        var section = self
        section.part = part
        section.key = part.lowercased() + "_" + key
        if case .charts(let charts) = content {
            section.content = .charts(charts.map { ReportChart(part.lowercased() + "-" + $0.name, $0.chart) })
        }
        return section
    }
}

/// Rows of values.
public struct ReportTable: Sendable, Hashable {
    public struct Column: Sendable, Hashable {
        /// In JSON.
        public var key: String
        public var title: String
        public var isText: Bool

        public init(_ key: String, _ title: String, isText: Bool = false) {
            (self.key, self.title, self.isText) = (key, title, isText)
        }
    }

    public enum Cell: Sendable, Hashable {
        case text(String)
        case count(Int)
        /// 0…1, shown in percent.
        case share(Double?)
        case number(Double?)
    }

    public var columns: [Column]
    public var rows: [[Cell]]

    public init(_ columns: [Column], _ rows: [[Cell]]) {
        (self.columns, self.rows) = (columns, rows)
    }
}

/// A chart and the name of its file.
public struct ReportChart: Sendable {
    /// Letters, digits and hyphens.
    public var name: String
    public var chart: LineChart

    public init(_ name: String, _ chart: LineChart) {
        (self.name, self.chart) = (name, chart)
    }
}

/// How often one thing came together with another.
public struct ReportMatrix: Sendable, Hashable {
    public var rowTitle: String, columnTitle: String
    public var rows: [String], columns: [String]
    /// By row, then by column.
    public var counts: [[Int]]
    /// For each row, the column that is right; nil where none is.
    public var rightColumns: [Int?]

    public init(
        rowTitle: String, columnTitle: String, rows: [String], columns: [String], counts: [[Int]],
        rightColumns: [Int?]
    ) {
        (self.rowTitle, self.columnTitle, self.rows, self.columns) = (rowTitle, columnTitle, rows, columns)
        (self.counts, self.rightColumns) = (counts, rightColumns)
    }

    /// Counts pairs. Names beyond the `limit` most frequent ones of the rows are counted together.
    ///
    /// - Parameters:
    ///   - pairs: row, column and how often; a nil row or column is the one for nothing
    ///   - noRow: what the row for nothing is called
    ///   - noColumn: what the column for nothing is called
    ///   - others: what the row and column for all further names are called
    init(
        _ pairs: [(row: String?, column: String?, count: Int)], rowTitle: String, columnTitle: String, limit: Int,
        noRow: String, noColumn: String, others: String = "others"
    ) {
        var totals: [String: Int] = [:]
        for pair in pairs {
            if let row = pair.row { totals[row, default: 0] += pair.count }
            if let column = pair.column { totals[column, default: 0] += 0 }
        }
        let order = totals.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        // One name more takes no more room than "others" would.
        let named = order.count <= limit + 1 ? order : Array(order.prefix(limit))
        let place = Dictionary(uniqueKeysWithValues: named.enumerated().map { ($1, $0) })
        let hasOthers = named.count < order.count
        let nothing = named.count + (hasOthers ? 1 : 0)
        var counts = [[Int]](repeating: [Int](repeating: 0, count: nothing + 1), count: nothing + 1)
        func index(_ name: String?) -> Int { name.map { place[$0] ?? named.count } ?? nothing }
        for pair in pairs { counts[index(pair.row)][index(pair.column)] += pair.count }
        let names = named + (hasOthers ? [others] : [])
        self.init(
            rowTitle: rowTitle, columnTitle: columnTitle, rows: names + [noRow], columns: names + [noColumn],
            counts: counts, rightColumns: named.indices.map { $0 } + [Int?](repeating: nil, count: hasOthers ? 2 : 1))
        if counts[nothing].allSatisfy({ $0 == 0 }) {
            rows.removeLast()
            self.counts.removeLast()
            rightColumns.removeLast()
        }
        if self.counts.allSatisfy({ $0.last == 0 }) {
            columns.removeLast()
            for row in self.counts.indices { self.counts[row].removeLast() }
        }
    }
}

/// What was found in one picture, to be drawn.
public struct ReportPicture: Sendable {
    /// An object, an answer, or both where they belong together.
    public struct Finding: Sendable {
        public enum Kind: String, Sendable {
            /// Answered as annotated.
            case right
            /// Answered, but otherwise than annotated, or where nothing is.
            case wrong
            /// Annotated and not answered.
            case missed
        }

        public var kind: Kind
        public var name: String
        /// Beside the name: a score, an IoU, what else was said.
        public var detail: String
        /// Annotated boxes and answered ones, in pixels.
        public var truths: [Box], answers: [Box]

        public init(_ kind: Kind, _ name: String, detail: String = "", truths: [Box] = [], answers: [Box] = []) {
            (self.kind, self.name, self.detail, self.truths, self.answers) = (kind, name, detail, truths, answers)
        }
    }

    /// `id` of the picture.
    public var image: Int
    public var name: String
    /// By what the picture is the best or the worst.
    public var figure: String
    public var findings: [Finding]

    public init(image: Int, name: String, figure: String, findings: [Finding]) {
        (self.image, self.name, self.figure, self.findings) = (image, name, figure, findings)
    }

    /// The best and the worst pictures.
    ///
    /// - Parameters:
    ///   - marks: what each picture is worth, 0…1, and its weight: of equals the one with more in it is shown
    ///   - limit: how many of each
    ///   - make: makes what is shown of a picture, by its position in `marks`
    static func extremes(
        _ marks: [(value: Double, weight: Int)], limit: Int = 6, make: (Int) -> ReportPicture
    ) -> [ReportSection] {
        let order = marks.indices.sorted {
            (marks[$0].value, -marks[$0].weight, $0) < (marks[$1].value, -marks[$1].weight, $1)
        }
        let worst = order.filter { marks[$0].value < 1 }.prefix(limit)
        let best = marks.indices.filter { !worst.contains($0) && marks[$0].value > 0 }.sorted {
            (marks[$1].value, marks[$1].weight, $0) < (marks[$0].value, marks[$0].weight, $1)
        }.prefix(limit)
        return [("worst_pictures", "Worst pictures", worst), ("best_pictures", "Best pictures", best)]
            .filter { !$0.2.isEmpty }
            .map { ReportSection($0.0, $0.1, .pictures($0.2.map(make))) }
    }
}
