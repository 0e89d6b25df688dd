import ChatRex
import Foundation
import NIOConcurrencyHelpers

/// What the server has done, in the text form of Prometheus.
final class Metrics: Sendable {
    private struct Route: Hashable {
        let path: String, status: Int
    }

    private struct Latency {
        var counts = [Int](repeating: 0, count: Metrics.bounds.count)
        var count = 0
        var sum = 0.0
    }

    private struct State {
        var requests: [Route: Int] = [:]
        var latencies: [String: Latency] = [:]
        var stages = StageTimes()
        var works = 0
    }

    private static let bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
    private let state = NIOLockedValueBox(State())

    /// Counts an answered request. A streamed one counts when its stream begins.
    /// - Parameter path: the route's pattern, so that nothing a client sends makes a new series
    func count(path: String, status: Int, seconds: Double) {
        state.withLockedValue { state in
            state.requests[Route(path: path, status: status), default: 0] += 1
            var latency = state.latencies[path] ?? Latency()
            latency.count += 1
            latency.sum += seconds
            for (index, bound) in Self.bounds.enumerated() where seconds <= bound { latency.counts[index] += 1 }
            state.latencies[path] = latency
        }
    }

    /// Adds what the model spent on one request.
    func add(_ cost: StageTimes) {
        state.withLockedValue { state in
            state.works += 1
            state.stages.propose += cost.propose
            state.stages.encode += cost.encode
            state.stages.read += cost.read
            state.stages.answer += cost.answer
            state.stages.boxes += cost.boxes
            state.stages.tokens += cost.tokens
            state.stages.promptTokens += cost.promptTokens
            state.stages.reusedPictures += cost.reusedPictures
        }
    }

    /// - Parameters:
    ///   - accepted: requests that wait or are worked on now
    ///   - limit: requests that may wait
    func text(accepted: Int, limit: Int, isReady: Bool) -> String {
        let state = state.withLockedValue { $0 }
        var text = PrometheusText()
        text.family("chatrex_requests_total", .counter, "Answered requests.")
        for (route, count) in state.requests.sorted(by: { ($0.key.path, $0.key.status) < ($1.key.path, $1.key.status) })
        {
            text.sample("chatrex_requests_total", ["path": route.path, "status": String(route.status)], Double(count))
        }
        text.family("chatrex_request_seconds", .histogram, "Time to the beginning of the answer.")
        for (path, latency) in state.latencies.sorted(by: { $0.key < $1.key }) {
            for (bound, count) in zip(Self.bounds, latency.counts) {
                text.sample("chatrex_request_seconds_bucket", ["path": path, "le": "\(bound)"], Double(count))
            }
            text.sample("chatrex_request_seconds_bucket", ["path": path, "le": "+Inf"], Double(latency.count))
            text.sample("chatrex_request_seconds_sum", ["path": path], latency.sum)
            text.sample("chatrex_request_seconds_count", ["path": path], Double(latency.count))
        }
        text.family("chatrex_stage_seconds_total", .counter, "Time of the model by stage.")
        let stages = state.stages
        for (stage, time) in [
            ("propose", stages.propose), ("encode", stages.encode), ("read", stages.read), ("answer", stages.answer),
        ] { text.sample("chatrex_stage_seconds_total", ["stage": stage], time / .seconds(1)) }
        text.single("chatrex_works_total", .counter, "Requests that the model worked on.", Double(state.works))
        text.single(
            "chatrex_prompt_tokens_total", .counter, "Positions that answers continued from.",
            Double(stages.promptTokens))
        text.single("chatrex_tokens_total", .counter, "Tokens written.", Double(stages.tokens))
        text.single("chatrex_boxes_total", .counter, "Boxes that the language model was shown.", Double(stages.boxes))
        text.single(
            "chatrex_reused_pictures_total", .counter, "Pictures still prepared from before.",
            Double(stages.reusedPictures))
        text.single("chatrex_accepted_requests", .gauge, "Requests that wait or are worked on.", Double(accepted))
        text.single("chatrex_queue_limit", .gauge, "Requests that may wait.", Double(limit))
        text.single("chatrex_ready", .gauge, "1 when the model is loaded.", isReady ? 1 : 0)
        if let bytes = Self.residentMemory {
            text.single("process_resident_memory_bytes", .gauge, "Resident memory.", Double(bytes))
        }
        return text.text
    }

    private static var residentMemory: Int? {
        guard
            let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
                .dropFirst().first
        else { return nil }
        return Int(pages).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
}

/// Lines of Prometheus' text form.
private struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        let list = labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number)\n"
    }

    mutating func single(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [:], value)
    }
}
