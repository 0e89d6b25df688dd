import ChatRex
import Checkpoints
import Foundation
import Torch
import TorchNN
import UPN
import VisionEncoders

/// What a checkpoint holds, read from its headers alone.
struct ModelSummary {
    /// Tensors that belong together.
    struct Part: Encodable {
        var name: String
        var tensors = 0
        var elements = 0
        var bytes = 0
        /// Element types as the file names them.
        var types: [String] = []

        mutating func add(_ record: TensorRecord) {
            tensors += 1
            elements += record.elementCount
            bytes += record.byteCount
            if !types.contains(record.elementType.rawValue) { types.append(record.elementType.rawValue) }
        }
    }

    enum Kind: String, Encodable {
        case chatRex = "ChatRex model"
        case proposalNetwork = "proposal network"
        case unknown = "unknown network"
    }

    let path: String
    let kind: Kind
    let parts: [Part]
    /// The sizes of the network as JSON; nil for an unknown one.
    let configuration: Data?
    /// What keeps the model from being used, a line each.
    let problems: [String]
    /// The proposal network of a ChatRex model's folder.
    let proposalNetwork: String?
    private let records: [TensorRecord]

    /// - Parameter place: a folder, a file, or the name of a built-in model.
    /// - Throws: `CheckpointError`, `ChatRexError.model`.
    init(of place: String) throws {
        let url =
            FileManager.default.fileExists(atPath: place)
            ? URL(fileURLWithPath: place) : try ModelFolder.find(place).url
        let archive = try TensorArchives.open(at: url)
        path = url.path
        records = archive.names.compactMap { archive.record(named: $0) }
        kind =
            archive.names.contains { $0.hasSuffix("mm_projector.0.weight") || $0.contains("mm_object_projector.") }
            ? .chatRex
            : archive.names.contains { $0.hasPrefix("transformer.level_embed") } ? .proposalNetwork : .unknown
        var parts: [String: Part] = [:], order: [String] = []
        for record in records {
            let name = Self.part(of: record.name)
            if parts[name] == nil { order.append(name) }
            parts[name, default: Part(name: name)].add(record)
        }
        self.parts = order.compactMap { parts[$0] }
        let isFolder = (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
        (configuration, problems) = Self.check(kind, url, isFolder: isFolder)
        let folder = ModelFolder(url)
        let hasNetwork =
            kind == .chatRex && isFolder && FileManager.default.fileExists(atPath: folder.proposalNetwork.path)
        proposalNetwork = hasNetwork ? folder.proposalNetwork.path : nil
    }

    var total: Part {
        parts.reduce(into: Part(name: "total")) { total, part in
            total.tensors += part.tensors
            total.elements += part.elements
            total.bytes += part.bytes
            total.types += part.types.filter { !total.types.contains($0) }
        }
    }

    /// The part that a tensor belongs to, from the head of its name.
    private static func part(of name: String) -> String {
        var names = name.split(separator: ".")
        if names.count > 2, names[0] == "model", ["model", "vision_tower", "vision_tower_aux"].contains(names[1]) {
            names.removeFirst()
        }
        guard let first = names.first else { return name }
        switch first {
        case "model", "lm_head": return "language model"
        case "vision_tower": return "CLIP"
        case "vision_tower_aux": return "ConvNeXt"
        case "mm_projector": return "image projector"
        case "mm_object_projector": return "object projector"
        case "transformer" where names.count > 1:
            return ["encoder", "decoder"].contains(names[1]) ? String(names[1]) : "queries and prompts"
        case "input_proj": return "necks"
        case "bbox_embed": return "box head"
        default: return String(first)
        }
    }

    /// Builds the network without its numbers, which compares every name and shape.
    private static func check(_ kind: Kind, _ url: URL, isFolder: Bool) -> (configuration: Data?, problems: [String]) {
        do {
            switch kind {
            case .chatRex:
                let folder = isFolder ? url : url.deletingLastPathComponent()
                let model = try ChatRexModel.load(folder, device: .meta)
                let needed = [ModelFolder(folder).tokenizer, ModelFolder(folder).proposalNetwork]
                let missing = needed.filter { !FileManager.default.fileExists(atPath: $0.path) }
                return (
                    try model.configuration.json(),
                    missing.map { "\($0.lastPathComponent) is missing beside the weights" }
                )
            case .proposalNetwork:
                return (try JSONEncoder().encode(UniversalProposalNetwork.load(url, device: .meta).configuration), [])
            case .unknown: return (nil, [])
            }
        } catch {
            return (nil, ExitStatus.message(error).split(whereSeparator: \.isNewline).map(String.init))
        }
    }
}

// MARK: - Showing

extension ModelSummary {
    func lines(listsTensors: Bool) -> [String] {
        var table = Table([
            ("part", .left), ("tensors", .right), ("parameters", .right), ("size", .right), ("type", .left),
        ])
        for part in parts + [total] {
            table.add([
                part.name, String(part.tensors), Quantity.count(part.elements), Quantity.bytes(part.bytes),
                part.types.joined(separator: " "),
            ])
        }
        var lines = ["\(Terminal.printable(path))  \(kind.rawValue)"] + table.lines
        if listsTensors {
            var list = Table([("tensor", .left), ("shape", .left), ("type", .left)])
            for record in records { list.add([record.name, "\(record.shape)", record.elementType.rawValue]) }
            lines += list.lines
        }
        if let configuration, let text = Self.settings(configuration) { lines.append("  configuration: " + text) }
        if kind != .unknown { lines.append(problems.isEmpty ? "  complete" : "  NOT COMPLETE") }
        return lines + problems.map { "  " + Terminal.printable($0) }
    }

    /// - Throws: `EncodingError`.
    func json(listsTensors: Bool) throws -> String {
        var object: [String: Any] = [
            "path": path, "kind": kind.rawValue, "complete": problems.isEmpty && kind != .unknown, "problems": problems,
            "parts": try JSONSerialization.jsonObject(with: JSONEncoder().encode(parts)),
        ]
        if let configuration { object["configuration"] = try JSONSerialization.jsonObject(with: configuration) }
        if listsTensors {
            object["tensors"] = records.map {
                ["name": $0.name, "shape": $0.shape, "type": $0.elementType.rawValue] as [String: Any]
            }
        }
        let data = try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return String(decoding: data, as: UTF8.self)
    }

    /// The configuration on one line, without the JSON's quotes.
    private static func settings(_ data: Data) -> String? {
        guard let object = try? JSONSerialization.jsonObject(with: data),
            let text = try? JSONSerialization.data(
                withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        else { return nil }
        return String(decoding: text, as: UTF8.self).replacingOccurrences(of: "\"", with: "")
            .replacingOccurrences(of: ",", with: ", ").replacingOccurrences(of: ":", with: ": ")
    }
}

/// Large numbers for people.
enum Quantity {
    static func count(_ number: Int) -> String { scaled(number, steps: ["", " k", " M", " G"], base: 1000) }
    static func bytes(_ number: Int) -> String { scaled(number, steps: [" B", " KiB", " MiB", " GiB"], base: 1024) }

    private static func scaled(_ number: Int, steps: [String], base: Double) -> String {
        var value = Double(number), step = 0
        while value >= base, step + 1 < steps.count {
            value /= base
            step += 1
        }
        return step == 0 ? "\(number)\(steps[0])" : String(format: "%.1f", value) + steps[step]
    }
}
