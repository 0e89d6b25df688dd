import ArgumentParser
import ChatRex
import Foundation

/// Checkpoints.
package struct ModelCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "model", abstract: "Look at models.",
        subcommands: [ListCommand.self, InspectCommand.self, ExportCommand.self, AssembleCommand.self])

    package init() {}

    /// The built-in models.
    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the built-in models.")

        @Flag(name: .customLong("json"), help: "Print JSON, one line a model.")
        var isJSON = false

        func run() throws {
            let models = ModelFolder.builtIn.map { name, folder in
                (name: name, summary: try? ModelSummary(of: folder.url.path), path: folder.url.path)
            }
            if isJSON {
                for model in models {
                    try Terminal.write(JSONText.line(["name": model.name, "path": model.path]))
                }
                return
            }
            var table = Table(
                [("name", .left), ("parameters", .right), ("size", .right), ("folder", .left)], indentation: 0)
            for model in models {
                let total = model.summary?.total
                table.add([
                    model.name, total.map { Quantity.count($0.elements) } ?? "?",
                    total.map { Quantity.bytes($0.bytes) } ?? "?", model.path,
                ])
            }
            try Terminal.write(
                models.isEmpty ? "no built-in model; name a folder with --model" : table.lines.joined(separator: "\n"))
        }
    }

    /// What a checkpoint holds and what it lacks.
    struct InspectCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "inspect",
            abstract: "Show a checkpoint's configuration and tensors, and what it lacks.",
            discussion: """
                Takes a model's folder or name, a proposal network's folder, a .safetensors or a .pth file. Nothing in a file is \
                executed. Ends with 1 when the model is incomplete.
                """)

        @Argument(help: "Folder, file or name of a built-in model.")
        var path: String

        @Flag(help: "List every tensor.")
        var tensors = false

        @Flag(name: .customLong("json"), help: "Print JSON, one line a network.")
        var isJSON = false

        func run() throws {
            let summary = try ModelSummary(of: path)
            // A language model's folder holds its proposal network too.
            let networks = try [summary] + (summary.proposalNetwork.map { [try ModelSummary(of: $0)] } ?? [])
            for network in networks {
                try Terminal.write(
                    isJSON
                        ? try network.json(listsTensors: tensors)
                        : network.lines(listsTensors: tensors).joined(separator: "\n"))
            }
            if !networks.allSatisfy({ $0.problems.isEmpty }) { throw ExitCode(ExitStatus.failed.rawValue) }
        }
    }
}
