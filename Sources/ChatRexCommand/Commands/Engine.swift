import ArgumentParser
import DataEngine
import Foundation
import Recipes

/// `chatrex engine`: from raw pictures to grounded annotations.
package struct EngineCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "engine",
        abstract: "Make grounded annotations of raw pictures: the paper's Rexverse data engine.",
        discussion: """
            EXAMPLE
              chatrex engine run Recipes/engine-offline.yaml --in photos --out runs/engine
              chatrex engine status runs/engine
              chatrex train joint Recipes/nano-joint.yaml --data runs/engine --init Models/nano --out runs/joint
            """,
        subcommands: [
            EngineRunCommand.self, EngineStatusCommand.self, EngineCardCommand.self, EngineExportCommand.self,
            EngineImportCommand.self,
        ])

    package init() {}
}

/// `chatrex engine run`.
package struct EngineRunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Annotate the pictures of a source.",
        discussion: """
            The work can be stopped or killed at any moment; the same command goes on with it. Several processes share a source by \
            --shard, on any number of machines that see the output folder; the last to finish writes the index.
            """)

    @Argument(help: "Settings as YAML; what it leaves out keeps its default.")
    var recipe: String

    @Option(
        name: .customLong("in"),
        help: ArgumentHelp(
            "A folder, a list of addresses (.txt, .jsonl, .parquet), .tar shards, or a .json file of conversations.",
            valueName: "source"))
    var source: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The output folder.", valueName: "folder"))
    var out: String

    @Option(help: ArgumentHelp("Folder of the pictures that a file of conversations names.", valueName: "folder"))
    var pictures: String?

    @Option(help: ArgumentHelp("Which part of the source: 0/4 is the first of four. (default: all)", valueName: "i/N"))
    var shard: String?

    @Flag(help: "Take up again what failed before.")
    var retryFailed = false

    @Flag(help: "Look again at the source for pictures that are new.")
    var rescan = false

    package init() {}

    package func run() async throws {
        let recipe = try RecipeFile.load(URL(fileURLWithPath: recipe), defaults: EngineRecipe())
        let part = try shard.map(Self.part) ?? .whole
        Interrupt.install(saying: "stopped; the same command goes on")
        let place = source, name = Source.name(place, images: pictures)
        let source = try Source.open(place, images: pictures, excluding: out)
        let folder = OutputFolder(URL(fileURLWithPath: out, isDirectory: true))
        try folder.begin(source: name, parts: part.count, recipe: recipe.fingerprint)
        Terminal.showProgress("loading models")
        let assembly = try await EngineAssembly(recipe, answers: folder.answers(of: part))
        do {
            try await run(recipe, source, name, part, folder, assembly)
        } catch {
            await assembly.stop()
            throw error
        }
        await assembly.stop()
        let status = try EngineStatus(folder)
        for (address, usage, cost) in assembly.usage {
            let price = cost > 0 ? String(format: ", cost %.2f", cost) : ""
            Terminal.warn(
                "\(address): \(usage.answers) answers, \(usage.stored) known before, \(usage.retries) repetitions, \(usage.promptTokens) + \(usage.completionTokens) tokens\(price)"
            )
        }
        for damage in status.damages.prefix(3) { Terminal.warn("not read: \(damage)") }
        if status.damages.count > 3 { Terminal.warn("'chatrex engine status \(out)' lists all that was not read") }
        if status.isWalked, status.pictures == 0 { throw EngineError.nothingFound(source: place) }
        try Terminal.write(EngineStatusText(status).summary)
    }

    private func run(
        _ recipe: EngineRecipe, _ source: any ItemSource, _ name: String, _ part: Part, _ folder: OutputFolder,
        _ assembly: EngineAssembly
    ) async throws {
        let run = try EngineRun(
            source, named: name, modules: assembly.modules, rules: recipe.rules, options: recipe.options,
            duplicates: DuplicateIndex(recipe.collection), recipe: recipe.fingerprint, part: part, folder: folder.url)
        let reporter = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(Terminal.isInteractive ? 1 : 30))
                if let status = try? EngineStatus(folder) {
                    Terminal.showProgress(EngineStatusText(status).line)
                }
            }
        }
        defer { reporter.cancel() }
        try await run.run(retriesFailed: retryFailed, walksAgain: rescan)
    }

    private static func part(_ text: String) throws -> Part {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let index = numbers[0], let count = numbers[1] else {
            throw ValidationError("--shard is '\(text)', but must be like 0/4.")
        }
        return try Part(index: index, of: count)
    }
}

/// `chatrex engine status`.
package struct EngineStatusCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say what was done, dropped and why, how fast, and what is left.")

    @Argument(help: "The output folder of a run.")
    var folder: String

    @Flag(help: "Write JSON.")
    var json = false

    package init() {}

    package func run() async throws {
        let status = try EngineStatus(OutputFolder(URL(fileURLWithPath: folder, isDirectory: true)))
        try Terminal.write(json ? JSONText.line(status) : EngineStatusText(status).table)
    }
}
