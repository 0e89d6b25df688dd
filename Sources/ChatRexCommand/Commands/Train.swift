import ArgumentParser
import Foundation
import Recipes
import Torch
import Training

/// Trains networks on scenes and annotated pictures.
package struct TrainCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train the proposal network, a stage of the model, or the classifier of pages.",
        discussion: """
            A run lives in the folder that --out names: it is resumed when the command is repeated, and saved when it is \
            interrupted. Each checkpoint has a loadable model in step-N/export. --init and --proposals take a model's folder or a \
            run, whose last export is used.

            Started several times by torchrun, or by anything that sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT, the \
            processes share every batch of the recipe and the optimiser's state.

            EXAMPLE
              chatrex train upn Recipes/nano-upn.yaml --out runs/upn
              chatrex train upn Recipes/nano-upn.yaml --data runs/engine --out runs/upn-engine
              chatrex train encoders Recipes/nano-encoders.yaml --out runs/encoders
              chatrex train perception Recipes/nano-perception.yaml --init runs/encoders --proposals runs/upn --out runs/perception
              chatrex train pages Recipes/nano-pages.yaml --out runs/pages
              torchrun --no-python --nproc-per-node 2 chatrex train upn Recipes/nano-upn.yaml --out runs/upn
            """)

    enum Stage: String, ExpressibleByArgument, CaseIterable {
        case upn, encoders, align, perception, joint, pages
    }

    @Argument(
        help:
            "What is trained: upn, encoders (warm-up), align, perception, joint or pages (the data engine's classifier)."
    )
    var stage: Stage

    @Argument(help: "Settings as YAML; what it leaves out keeps its default.")
    var recipe: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The run's folder.", valueName: "folder"))
    var out: String?

    @Flag(
        help:
            "Only say what would be trained and what it needs. Small runs take two batches to measure, others are reckoned."
    )
    var dryRun = false

    @Option(help: "Devices that share a step's pictures and the optimiser's state, for --dry-run.")
    var devices = 1

    @Option(
        name: .customLong("init"),
        help: ArgumentHelp(
            "Model or run to start from; for upn also a pretrained Swin backbone. (default: fresh weights)",
            valueName: "folder"))
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

    @Option(
        help: ArgumentHelp(
            "Output of the data engine to train on instead of scenes; may be repeated. The recipe's 'data' mixes by weight.",
            valueName: "folder"))
    var data: [String] = []

    @Option(help: "Ends after this much time, all sessions together; over the recipe's.")
    var minutes: Double?

    @Option(
        help: ArgumentHelp(
            "cpu, cuda or mps; the proposal network alone can leave the CPU. Of several processes on a machine each takes the GPU of its LOCAL_RANK. (default: cpu)",
            valueName: "device"), transform: { try Device(parsing: $0) })
    var device = Device.cpu

    @Option(help: "Threads of the CPU. (default: all cores, shared by the processes of the machine)")
    var threads: Int?

    package init() {}

    package func validate() throws {
        if !dryRun && out == nil { throw ValidationError("Give the run's folder by --out.") }
        if devices < 1 || devices > 1 && !dryRun {
            throw ValidationError(
                "--devices is a number from 1 for --dry-run; a run takes as many as its launcher starts.")
        }
        if stage == .upn, encoders != nil || proposals != nil {
            throw ValidationError("The proposal network takes no --encoders and no --proposals.")
        }
        if stage == .pages, start != nil || encoders != nil || proposals != nil {
            throw ValidationError(
                "The classifier of pages is trained from nothing: no --init, --encoders or --proposals.")
        }
        if device.kind != .cpu, stage != .upn {
            throw ValidationError("Only the proposal network can be trained on another device than the CPU.")
        }
        if !data.isEmpty, stage == .encoders || stage == .pages {
            throw ValidationError(
                "The encoders' warm-up and the classifier learn from generated pictures; --data is for the other stages."
            )
        }
    }

    package func run() throws {
        Runtime.initialize()
        let place = try ProcessPlace(environment: ProcessInfo.processInfo.environment)
        try Runtime.setThreadCount(
            threads ?? ProcessInfo.processInfo.activeProcessorCount / (place?.localCount ?? 1))
        let device = try (place?.device(device.kind) ?? device).checked()
        if dryRun, let place, place.rank > 0 { return }
        let parallel = try DataParallel(joining: dryRun ? nil : place, device: device)
        let file = URL(fileURLWithPath: recipe), out = out ?? ""
        let folder = URL(fileURLWithPath: out, isDirectory: true)
        let origin = ChatRexStart(
            model: start.map { URL(fileURLWithPath: $0) }, encoders: encoders.map { URL(fileURLWithPath: $0) },
            proposals: proposals.map { URL(fileURLWithPath: $0) })
        let isFinished: Bool
        if stage == .upn {
            let recipe = try RecipeFile.load(file, defaults: UPNRecipe()) {
                if let minutes { $0.options.minutes = minutes }
                if !data.isEmpty { $0.data = TrainingData(folders: data) }
            }
            if dryRun { return try show(UPNTraining.plan(recipe, from: origin.model, device: device)) }
            isFinished =
                try UPNTraining.run(recipe, from: origin.model, folder: folder, device: device, parallel: parallel)
                == .finished
        } else if stage == .pages {
            let recipe = try RecipeFile.load(file, defaults: PageRecipe()) {
                if let minutes { $0.options.minutes = minutes }
            }
            if dryRun { return try show(PageTraining.plan(recipe)) }
            isFinished = try PageTraining.run(recipe, folder: folder, parallel: parallel) == .finished
        } else {
            var recipe = try RecipeFile.load(file, defaults: ChatRexRecipe()) {
                if let minutes { $0.options.minutes = minutes }
                if !data.isEmpty { $0.data = TrainingData(folders: data) }
            }
            if let stage = ConversationStage(rawValue: stage.rawValue) {
                recipe.conversation.stage = stage
                if dryRun { return try show(ChatRexTraining.plan(recipe, from: origin)) }
                isFinished =
                    try ChatRexTraining.run(recipe, from: origin, folder: folder, parallel: parallel) == .finished
            } else {
                if dryRun { return try show(ChatRexTraining.warmUpPlan(recipe, from: origin)) }
                isFinished =
                    try ChatRexTraining.warmUp(recipe, from: origin, folder: folder, parallel: parallel) == .finished
            }
        }
        if parallel.isFirst {
            try Terminal.write(isFinished ? "finished: \(out)" : "stopped; repeat the command to go on: \(out)")
        }
        if !isFinished { throw ExitCode(ExitStatus.interrupted.rawValue) }
    }

    private func show(_ plan: TrainingPlan) throws {
        func row(_ cells: [String]) -> String {
            let widths = [34, 12, 12]
            let padded = zip(cells, widths).map {
                $0.padding(toLength: max($1, $0.count + 1), withPad: " ", startingAt: 0)
            }
            return padded.joined() + cells.dropFirst(widths.count).joined(separator: " ")
        }
        var lines = [row(["part", "parameters", "trained", "learning rate"])]
        for part in plan.parts {
            let rates = part.rates.sorted().map { String(format: "%.3g", $0 * plan.learningRate) }
            lines.append(
                row([
                    part.name, Quantity.count(part.elements), part.trained > 0 ? Quantity.count(part.trained) : "-",
                    rates.isEmpty ? "-" : rates.joined(separator: ", "),
                ]))
        }
        lines.append(row(["all", Quantity.count(plan.elements), Quantity.count(plan.trained)]))
        // Moments and averages can be divided among devices, the rest is on each.
        let shared = (plan.momentBytes + plan.averageBytes) / devices
        let lasting = plan.weightBytes + plan.gradientBytes + shared
        lines.append(
            "memory of a device: weights \(Quantity.bytes(plan.weightBytes)), gradients \(Quantity.bytes(plan.gradientBytes)), moments \(Quantity.bytes(plan.momentBytes / devices)), averaged weights \(Quantity.bytes(plan.averageBytes / devices)): \(Quantity.bytes(lasting))"
        )
        if let batch = plan.batchBytes {
            lines.append(
                "a batch keeps about \(Quantity.bytes(batch)) for its backward pass: \(Quantity.bytes(lasting + batch)) in all"
            )
        }
        if let seconds = plan.batchSeconds {
            lines.append(
                String(format: "a batch takes %.2f s, forward and backward; ", seconds)
                    + "the process took \(Quantity.bytes(ProcessMemory.peak)) at most")
        } else {
            lines.append("reckoned from sizes: too large to try here, or something is missing")
        }
        let pictures = plan.picturesPerStep.map { " of \($0 * devices) pictures" } ?? ""
        lines.append(
            plan.steps.map { "\($0) steps\(pictures) until the recipe's end" }
                ?? "the recipe's minutes decide on the steps")
        lines += plan.missing.map { "missing: \($0)" }
        try Terminal.write(lines.joined(separator: "\n"))
    }
}
