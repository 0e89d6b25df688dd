import Foundation
import Testing
import Torch
import TorchNN
import Training

/// A task whose loss is what a test says.
private final class Scripted: TrainingTask {
    let store = ParameterStore()
    let weight: Tensor
    let loss: (Int) -> Double

    init(_ loss: @escaping (Int) -> Double) throws {
        self.loss = loss
        weight = try store.weights.parameter("weight", [2], .ones)
    }

    var tensors: [(name: String, tensor: Tensor)] { [("weight", weight)] }
    var parameterGroups: [AdamW.Group] { [AdamW.Group([("weight", weight)], weightDecay: 0)] }
    func batch(_ number: Int, progress: Double) -> Int { number }
    func losses(_ batch: Int) throws -> TrainingLosses {
        let total = try weight.sum() * 0 + loss(batch)
        return TrainingLosses(total: total, parts: [("part", try total * 0.5), ("rest", try total * 0.5)])
    }
    func evaluate() throws -> [String: Double] { ["recall": 0.5, "token_loss": 3] }
    func export(to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
}

private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("log-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
}

private func options(steps: Int) -> TrainingOptions {
    var options = TrainingOptions()
    (options.steps, options.logSteps, options.evaluationMinutes) = (steps, 1, nil)
    return options
}

/// The records of an event file: checksums are compared, messages handed out.
private func records(_ data: Data) throws -> [Data] {
    var records: [Data] = [], rest = Array(data)[...]
    func number<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>) -> Number {
        bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
    }
    while !rest.isEmpty {
        try #require(rest.count >= 16)
        let header = rest.prefix(8), length: UInt64 = number(header)
        #expect(number(rest.dropFirst(8).prefix(4)) == CRC32C.masked(header))
        let message = rest.dropFirst(12).prefix(Int(length))
        try #require(message.count == Int(length))
        #expect(number(rest.dropFirst(12 + message.count).prefix(4)) == CRC32C.masked(message))
        records.append(Data(message))
        rest = rest.dropFirst(16 + message.count)
    }
    return records
}

extension SharedStateTests {
    @Suite struct RunLogTests {
        @Test func checksumsAreThoseOfTheStandard() {
            // RFC 3720, appendix B.4, and the usual check value.
            #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
            #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
            #expect(CRC32C.checksum([UInt8](repeating: 255, count: 32)) == 0x62A8_AB43)
            #expect(CRC32C.checksum(Array(0..<32)) == 0x46DD_794E)
            let sum = CRC32C.checksum([1, 2]) as UInt32
            #expect(CRC32C.masked([1, 2]) == (sum >> 15 | sum << 17) &+ 0xA282_EAD8)
        }

        @Test func aMessageIsFramedAndWrittenAsProtobuf() throws {
            let event = EventRecord(time: 1.5, step: 300, .scalars([.init(tag: "train/loss", value: 0.25)]))
            let message = try #require(try records(event.framed).first)
            // Field 1, a double; field 2, the varint 300; field 5 with one value of a tag and a float.
            var expected: [UInt8] = [0x09] + withUnsafeBytes(of: 1.5.bitPattern.littleEndian, Array.init)
            expected += [0x10, 0xAC, 0x02, 0x2A, 19, 0x0A, 17, 0x0A, 10] + Array("train/loss".utf8)
            expected += [0x15] + withUnsafeBytes(of: Float(0.25).bitPattern.littleEndian, Array.init)
            #expect(Array(message) == expected)
        }

        @Test func aRunLeavesEventsAndCurvesBesideItsLog() throws {
            try withFolder { folder in
                for end in [3, 6] {
                    _ = try TrainingRun(
                        Scripted { 1 / Double($0 + 1) }, options: options(steps: 6), folder: folder,
                        configuration: ["test": true]
                    ).run(until: end)
                }
                let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                let events = files.filter { $0.lastPathComponent.hasPrefix("events.out.tfevents.") }
                let messages = try events.flatMap { try records(Data(contentsOf: $0)) }
                // For each session the version and its start; six steps; one evaluation. Both sessions may share a second and so a file.
                #expect(messages.count == 2 * 2 + 6 + 1)
                #expect(messages.count { $0.range(of: Data("brain.Event:2".utf8)) != nil } == 2)
                #expect(messages.count { $0.range(of: Data("train/loss".utf8)) != nil } == 6)
                #expect(messages.count { $0.range(of: Data("validation/recall".utf8)) != nil } == 1)

                let history = try RunHistory(folder)
                #expect(history.training["loss"]?.map(\.x) == [1, 2, 3, 4, 5, 6])
                #expect(history.training["loss"]?.last.map { abs($0.y - 1.0 / 6) < 1e-6 } == true)
                #expect(history.validation["recall"]?.map(\.y) == [0.5])
                let curves = try String(contentsOf: folder.appendingPathComponent("curves.svg"), encoding: .utf8)
                for title in ["loss", "validation", "token_loss", "learning rate", "gradient norm", "part", "recall"] {
                    #expect(curves.contains(title), "\(title)")
                }
                #expect(curves.count(of: "<svg ") == 6 && curves.count(of: "</svg>") == 6)
                let both = RunCurves.svg([history, history])
                #expect(both.contains("(2)") && both.count(of: "<svg ") == 5)
            }
        }

        @Test func aLogForgetsStepsThatWereDoneAgainAndHalfALine() throws {
            try withFolder { folder in
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                func line(_ event: String, _ step: Int, _ loss: Double) -> String {
                    "{\"event\":\"\(event)\",\"step\":\(step),\"values\":{\"loss\":\(loss),\"elapsed\":1}}\n"
                }
                let text =
                    line("step", 1, 5) + line("step", 2, 4) + line("step", 3, 9) + line("start", 2, 0)
                    + line("step", 3, 3) + "{\"event\":\"st"
                try Data(text.utf8).write(to: folder.appendingPathComponent("log.jsonl"))
                let history = try RunHistory(folder)
                #expect(history.training["loss"]?.map(\.y) == [5, 4, 3] && history.training["elapsed"] == nil)
                #expect(throws: TrainingError.self) { try RunHistory(folder.appendingPathComponent("none")) }
            }
        }

        @Test func aLossThatRunsAwayStopsTheRunAndTheLastCheckpointIsFromBefore() throws {
            try withFolder { folder in
                var options = options(steps: 200)
                (options.divergenceFactor, options.divergenceSteps, options.checkpointMinutes) = (5, 8, 1e-9)
                // One high loss is no divergence, eight on end are.
                let task = try Scripted { $0 == 30 || $0 >= 50 ? 100 : 2 }
                let run = try TrainingRun(task, options: options, folder: folder, configuration: ["test": true])
                let error = try #require(throws: TrainingError.self) { try run.run() }
                #expect("\(error)".contains("from step 50 to 57") && "\(error)".contains("batch 57"), "\(error)")
                #expect(RunFolderProbe.newest(folder) == 50)
                options.divergenceFactor = 0
                #expect(
                    try TrainingRun(task, options: options, folder: folder, configuration: ["test": true]).run()
                        == .finished)
            }
        }

        @Test func aLossThatIsNotANumberNamesItsBatch() throws {
            try withFolder { folder in
                let run = try TrainingRun(
                    Scripted { $0 == 7 ? .nan : 1 }, options: options(steps: 20), folder: folder,
                    configuration: ["test": true])
                let error = try #require(throws: TrainingError.self) { try run.run() }
                #expect("\(error)".contains("batch 7") && "\(error)".contains("step 7"), "\(error)")
            }
        }

        @Test func aCheckpointOfAnotherRecipeIsRefused() throws {
            final class Wider: TrainingTask {
                let weight: Tensor
                init() throws { weight = try Tensor.ones([3]) }
                var tensors: [(name: String, tensor: Tensor)] { [("weight", weight)] }
                var parameterGroups: [AdamW.Group] { [AdamW.Group(tensors, weightDecay: 0)] }
                func batch(_ number: Int, progress: Double) -> Int { number }
                func losses(_ batch: Int) throws -> TrainingLosses { TrainingLosses(total: try weight.sum()) }
                func evaluate() throws -> [String: Double] { [:] }
                func export(to folder: URL) throws {}
            }
            try withFolder { folder in
                _ = try TrainingRun(
                    Scripted { _ in 1 }, options: options(steps: 9), folder: folder, configuration: ["test": true]
                ).run(until: 2)
                #expect {
                    _ = try TrainingRun(
                        Wider(), options: options(steps: 9), folder: folder, configuration: ["test": true])
                } throws: { "\($0)".contains("another recipe") && "\($0)".contains("[2] instead of [3]") }
                #expect(RunFolderProbe.newest(folder) == 2)
            }
        }

        @Test func averagesFollowTheirDefinition() throws {
            let weight = try Tensor([1] as [Float])
            let average = try WeightAverage([("weight", weight)], decay: 0.5)
            var expected = 1.0
            for step in 1...12 {
                try weight.fill(Double(step))
                try average.update()
                let decay = min(0.5, Double(1 + step) / Double(10 + step))
                expected = decay * expected + (1 - decay) * Double(step)
            }
            #expect(abs(try average.entries[0].tensor.item(Double.self) - expected) < 1e-5)
            let seen = try average.whileApplied { try weight.item(Double.self) }
            #expect(abs(seen - expected) < 1e-5)
            #expect(try weight.item(Float.self) == 12)
        }

        @Test func theRateFallsInSteps() throws {
            var options = options(steps: 100)
            (options.learningRate, options.rateDrops, options.warmupSteps) = (1, [0.5, 0.9], 1)
            options.logSteps = 1
            try withFolder { folder in
                _ = try TrainingRun(
                    Scripted { _ in 1 }, options: options, folder: folder, configuration: ["test": true]
                ).run()
                let rates = try #require(try RunHistory(folder).training["rate"])
                for point in rates {
                    let expected = point.x <= 50 ? 1 : point.x <= 90 ? 0.1 : 0.01
                    #expect(abs(point.y - expected) < 1e-9, "\(point)")
                }
            }
        }
    }
}

private enum RunFolderProbe {
    static func newest(_ folder: URL) -> Int? { (try? RunFolder(folder))?.checkpointSteps.last }
}

extension String {
    fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
