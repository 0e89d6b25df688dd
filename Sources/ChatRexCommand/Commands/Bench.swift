import ArgumentParser
import ChatRex
import Foundation
import Imaging
import Torch

/// Speed and memory of each stage of a detection.
package struct BenchCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure speed and memory of each stage.",
        discussion: """
            Detects the phrases in each picture again and again, each time from the file on, and gives the median of each stage over all \
            runs of all pictures.

            EXAMPLE
              chatrex bench Examples/images "cat; dog; bus" --runs 10
            """)

    @Argument(
        help: ArgumentHelp(
            "Pictures, folders or quoted patterns, and at the end what to look for.", valueName: "source"))
    var arguments: [String] = []

    @Option(help: "Measured runs of each picture, 1...10000.")
    var runs = 5

    @Option(help: "Runs before that, which do not count.")
    var warmup = 1

    @Flag(name: .customLong("json"), help: "Print JSON.")
    var isJSON = false

    @OptionGroup var sources: SourceOptions
    @OptionGroup(title: "Boxes") var candidates: CandidateOptions
    @OptionGroup(title: "Model") var model: ModelOptions

    package init() {}

    package mutating func validate() throws {
        let text = try sources.split(arguments, meaning: "what to look for").text
        _ = try checkText { try DetectCommand.phrases(text) }
        if !(1...10_000).contains(runs) { throw ValidationError("--runs must be within 1...10000.") }
        if !(0...10_000).contains(warmup) { throw ValidationError("--warmup must be within 0...10000.") }
    }

    package func run() async throws {
        Interrupt.install()
        let (names, text) = try sources.split(arguments, meaning: "what to look for")
        let phrases = try DetectCommand.phrases(text)
        let list = sources.list(and: names)
        if let problem = list.problems.first { throw problem }
        let started = ContinuousClock.now
        let session = try await model.session()
        var report = BenchReport(load: .now - started, threads: Runtime.threadCount)
        for path in list.paths {
            for run in 0..<(warmup + runs) {
                if Interrupt.isPending { throw CancellationError() }
                Terminal.showProgress("\(path) run \(run + 1)/\(warmup + runs)", isLogged: false)
                await session.forgetPictures()
                let start = ContinuousClock.now
                let image = try Image(contentsOf: path)
                let decoded = ContinuousClock.now
                let boxes = candidates.boxes
                let times = try await StageTimes.measured {
                    try await session.detect(phrases, in: image, boxes: boxes)
                }.times
                let end = ContinuousClock.now
                if run < warmup { continue }
                report.add(decode: decoded - start, times, total: end - start)
            }
        }
        report.peakMemory = ProcessMemory.peak
        try Terminal.write(isJSON ? JSONText.line(report.summary) : report.summary.lines.joined(separator: "\n"))
    }
}

/// The runs of a measurement.
private struct BenchReport {
    let load: Duration
    var threads: Int
    var peakMemory = 0
    private var stages: [(name: String, values: [Double])] = ["decode", "propose", "encode", "read", "answer", "total"]
        .map { ($0, []) }
    private var tokens: [Double] = [], boxes: [Double] = []

    init(load: Duration, threads: Int) {
        (self.load, self.threads) = (load, threads)
    }

    mutating func add(decode: Duration, _ times: StageTimes, total: Duration) {
        for (index, value) in [decode, times.propose, times.encode, times.read, times.answer, total].enumerated() {
            stages[index].values.append(value.milliseconds)
        }
        tokens.append(Double(times.tokens))
        boxes.append(Double(times.boxes))
    }

    struct Summary: Encodable {
        struct Stage: Encodable {
            var name: String, medianMilliseconds: Double, largestMilliseconds: Double

            enum CodingKeys: String, CodingKey {
                case name
                case medianMilliseconds = "median_ms"
                case largestMilliseconds = "max_ms"
            }
        }

        var loadMilliseconds: Double
        var stages: [Stage]
        var boxes: Double, tokens: Double
        var runs: Int, threads: Int, peakMemoryBytes: Int

        enum CodingKeys: String, CodingKey {
            case loadMilliseconds = "load_ms"
            case stages, boxes, tokens, runs, threads
            case peakMemoryBytes = "peak_memory_bytes"
        }

        var lines: [String] {
            var table = Table([("stage", .left), ("median", .right), ("largest", .right)], indentation: 0)
            func text(_ milliseconds: Double) -> String { String(format: "%.1f ms", milliseconds) }
            for stage in stages {
                table.add([stage.name, text(stage.medianMilliseconds), text(stage.largestMilliseconds)])
            }
            return table.lines + [
                "loading \(text(loadMilliseconds)), \(runs) runs, \(threads) threads, boxes \(boxes), tokens of the answer \(tokens) (medians)",
                "peak memory \(Quantity.bytes(peakMemoryBytes))",
            ]
        }
    }

    var summary: Summary {
        Summary(
            loadMilliseconds: load.milliseconds,
            stages: stages.map {
                Summary.Stage(
                    name: $0.name, medianMilliseconds: median($0.values), largestMilliseconds: $0.values.max() ?? 0)
            },
            boxes: median(boxes), tokens: median(tokens), runs: tokens.count, threads: threads,
            peakMemoryBytes: peakMemory)
    }

    private func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}

extension Duration {
    fileprivate var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }
}
