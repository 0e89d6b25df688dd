import Annotations
import Checkpoints
import Foundation
import WebPages

/// What a card says beside the figures.
public struct DatasetCardSettings: Codable, Sendable, Equatable {
    public var name = "Grounded annotations"
    /// A paragraph about where the pictures come from and what they are for.
    public var description = ""
    /// A licence's identifier as Hugging Face lists them.
    public var license = "other"
    public var language = "en"
    /// Categories that are listed.
    public var topCategories = 30

    public init() {}
}

/// Describes a set to people (`README.md`, with the front matter that Hugging Face reads) and to programs (`card.json`).
public struct DatasetCard: Codable, Sendable, Equatable {
    /// Version of `card.json`.
    public var schema = 1
    public var settings: DatasetCardSettings
    public var statistics: DatasetStatistics
    /// Pictures that were dropped, by reason.
    public var drops: [String: Int]
    /// Pictures that failed, by the stage's error.
    public var failures: [String: Int]

    public init(
        statistics: DatasetStatistics, drops: [String: Int] = [:], failures: [String: Int] = [:],
        settings: DatasetCardSettings = DatasetCardSettings()
    ) {
        (self.statistics, self.drops, self.failures, self.settings) = (statistics, drops, failures, settings)
    }

    /// Writes `README.md` and `card.json`.
    public func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(encoder.encode(self), to: folder.appendingPathComponent("card.json"))
        try AtomicFile.write(Data(markdown.utf8), to: folder.appendingPathComponent("README.md"))
    }

    // MARK: Markdown

    /// The text of `README.md`.
    public var markdown: String {
        let parts = [
            frontMatter, "# " + Markup.markdown(settings.name),
            settings.description.isEmpty ? nil : settings.description, overview, texts, sizes, categories,
            left("Dropped", drops, "reason"), left("Failed", failures, "error"), form,
        ]
        return parts.compactMap { $0 }.joined(separator: "\n\n") + "\n"
    }

    private var frontMatter: String {
        """
        ---
        pretty_name: "\(settings.name.filter { !$0.isNewline && $0 != "\"" && $0 != "\\" })"
        license: \(settings.license)
        language:
        - \(settings.language)
        task_categories:
        - object-detection
        - image-to-text
        - visual-question-answering
        tags:
        - grounding
        - region-captioning
        - referring-expressions
        - webdataset
        size_categories:
        - \(sizeCategory)
        configs:
        - config_name: default
          data_files: shards/*.tar
        ---
        """
    }

    private var sizeCategory: String {
        switch statistics.pictures {
        case ..<1_000: "n<1K"
        case ..<10_000: "1K<n<10K"
        case ..<100_000: "10K<n<100K"
        case ..<1_000_000: "100K<n<1M"
        case ..<10_000_000: "1M<n<10M"
        default: "n>10M"
        }
    }

    private var overview: String {
        let s = statistics
        return table(
            ["what", "count"],
            [
                ["pictures", number(s.pictures)], ["with a caption", number(s.captions.texts)],
                ["located phrases of captions", number(s.groundedPhrases)], ["regions", number(s.regions)],
                ["with a category", number(s.categories.texts)], ["with a short phrase", number(s.phrases.texts)],
                ["with a description", number(s.descriptions.texts)],
                ["with a referring expression", number(s.referringExpressions.texts)],
                ["different categories", number(s.regionsOfCategory.count)],
                ["regions per picture, mean", decimal(s.regionsPerPicture)],
                ["conversations", number(s.conversations)], ["their questions", number(s.turns)],
                ["megapixels per picture, mean", decimal(s.megapixels / Double(max(1, s.pictures)))],
            ])
    }

    private var texts: String {
        let rows: [(String, DatasetStatistics.Lengths)] = [
            ("caption", statistics.captions), ("category", statistics.categories), ("phrase", statistics.phrases),
            ("description", statistics.descriptions), ("referring expression", statistics.referringExpressions),
        ]
        return "## Texts\n\n"
            + table(
                ["text", "count", "words, mean", "words, most"],
                rows.map { [$0, number($1.texts), decimal($1.mean), number($1.longest)] })
    }

    private var sizes: String {
        let s = statistics, total = max(1, s.regions)
        func row(_ name: String, _ count: Int) -> [String] {
            [name, number(count), decimal(100 * Double(count) / Double(total)) + " %"]
        }
        let last = s.picturesByRegions.count - 1
        let counts = s.picturesByRegions.enumerated().filter { $1 > 0 }.map { count, pictures in
            [count == last ? "\(count) or more" : "\(count)", number(pictures)]
        }
        return "## Boxes\n\n"
            + table(
                ["area in square pixels", "boxes", "share"],
                [
                    row("small, below 32²", s.sizes.small), row("medium, below 96²", s.sizes.medium),
                    row("large", s.sizes.large),
                ]) + "\n\n" + table(["regions in a picture", "pictures"], counts)
    }

    private var categories: String? {
        let top = statistics.topCategories(settings.topCategories)
        if top.isEmpty { return nil }
        return "## Most frequent categories\n\n"
            + table(["category", "regions"], top.map { [Markup.markdown($0.name), number($0.regions)] })
    }

    private func left(_ title: String, _ counts: [String: Int], _ name: String) -> String? {
        if counts.isEmpty { return nil }
        let rows = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [Markup.markdown($0), number($1)] }
        return "## \(title)\n\n" + table([name, "pictures"], rows)
    }

    private var form: String {
        """
        ## Form

        `shards/*.tar` are WebDataset shards: each sample is a picture `KEY.jpg` (or `.png`, `.webp`) and `KEY.json` with

        - `caption`: `text`, and `phrases` with `start` and `end` in Unicode scalars and the `regions` that each names;
        - `regions`: `id`, `bbox` as `[x1, y1, x2, y2]` in pixels, and where known `score`, `category`, `phrase`, `description`,
          `referring_expression`;
        - `conversation`: questions with grounded answers;
        - `absent`: where known, categories that were looked for in vain;
        - `key`, `source`, `format`, `sha256`, `width`, `height`.

        `index.jsonl` has a line for each sample, `card.json` the figures above, `gallery/index.html` shows some samples.
        """
    }

    private func table(_ head: [String], _ rows: [[String]]) -> String {
        let lines = [head, head.enumerated().map { $0.offset == 0 ? "---" : "---:" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// 12345 as `12,345`.
    private func number(_ value: Int) -> String {
        let digits = Array(String(value))
        return digits.enumerated().map { index, digit in
            index > 0 && (digits.count - index) % 3 == 0 ? ",\(digit)" : "\(digit)"
        }.joined()
    }

    private func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
