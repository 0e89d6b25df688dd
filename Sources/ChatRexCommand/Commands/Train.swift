import ArgumentParser
import Foundation
import Torch
import Training

/// Trains networks on scenes.
package struct TrainCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the proposal network or a stage of the model on scenes.",
        discussion: """
            A run lives in the folder that --out names: it is resumed when the command is repeated, and saved when it is \
            interrupted. Each checkpoint has a loadable model in step-N/export. --init and --proposals take a model's folder or a \
            run, whose last export is used.

            EXAMPLE
              chatrex train upn Recipes/nano-upn.yaml --out runs/upn
              chatrex train encoders Recipes/nano-encoders.yaml --out runs/encoders
              chatrex train perception Recipes/nano-perception.yaml --init runs/encoders --proposals runs/upn --out runs/perception
            """)

    enum Stage: String, ExpressibleByArgument, CaseIterable {
        case upn, encoders, align, perception, joint
    }

    @Argument(help: "What is trained: upn, encoders (warm-up), align, perception or joint.")
    var stage: Stage

    @Argument(help: "Settings as YAML; what it leaves out keeps its default.")
    var recipe: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The run's folder.", valueName: "folder"))
    var out: String

    @Option(
        name: .customLong("init"),
        help: ArgumentHelp("Model or run to start from. (default: fresh weights)", valueName: "folder"))
    var start: String?

    @Option(
        help: ArgumentHelp(
            "Model or run whose encoders and projectors are used instead of those of --init. (default: none)",
            valueName: "folder"))
    var encoders: String?

    @Option(
        help: ArgumentHelp(
            "Proposal network or run that gives boxes. (default: imitated proposals)", valueName: "folder"))
    var proposals: String?

    @Option(help: "Ends after this much time, all sessions together; over the recipe's.")
    var minutes: Double?

    @Option(help: "Threads of the CPU. (default: all cores)")
    var threads: Int?

    package init() {}

    package func run() throws {
        Runtime.initialize()
        try Runtime.setThreadCount(threads ?? ProcessInfo.processInfo.activeProcessorCount)
        let file = URL(fileURLWithPath: recipe), folder = URL(fileURLWithPath: out, isDirectory: true)
        let origin = ChatRexStart(
            model: start.map { URL(fileURLWithPath: $0) }, encoders: encoders.map { URL(fileURLWithPath: $0) },
            proposals: proposals.map { URL(fileURLWithPath: $0) })
        let isFinished: Bool
        if stage == .upn {
            let recipe = try RecipeFile.load(file, defaults: UPNRecipe()) {
                if let minutes { $0.options.minutes = minutes }
            }
            isFinished = try UPNTraining.run(recipe, folder: folder) == .finished
        } else {
            var recipe = try RecipeFile.load(file, defaults: ChatRexRecipe()) {
                if let minutes { $0.options.minutes = minutes }
            }
            if let stage = ConversationStage(rawValue: stage.rawValue) {
                recipe.conversation.stage = stage
                isFinished = try ChatRexTraining.run(recipe, from: origin, folder: folder) == .finished
            } else {
                isFinished = try ChatRexTraining.warmUp(recipe, from: origin, folder: folder) == .finished
            }
        }
        try Terminal.write(isFinished ? "finished: \(out)" : "stopped; repeat the command to go on: \(out)")
        if !isFinished { throw ExitCode(ExitStatus.interrupted.rawValue) }
    }
}
