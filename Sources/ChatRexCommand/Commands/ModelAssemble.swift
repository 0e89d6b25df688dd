import ArgumentParser
import ChatRex
import Foundation

extension ModelCommand {
    /// A model folder from pretrained parts.
    struct AssembleCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "assemble",
            abstract: "Make a model to be trained from a pretrained language model and two pretrained encoders.",
            discussion: """
                The projectors and the rows of tags and indices are fresh; the paper's alignment trains them first. Weights are \
                copied one at a time.

                EXAMPLE
                  chatrex model assemble --language Qwen2.5-7B-Instruct --clip clip-vit-large-patch14-336 \
                --convnext convnext_large_d.safetensors --out runs/start
                """)

        @Option(help: ArgumentHelp("Qwen2 or Qwen2.5 as Hugging Face has it.", valueName: "folder"))
        var language: String

        @Option(help: ArgumentHelp("CLIP as Hugging Face has it.", valueName: "folder"))
        var clip: String

        @Option(help: ArgumentHelp("ConvNeXt as timm or OpenCLIP has it.", valueName: "path"))
        var convnext: String

        @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
        var out: String

        @Option(help: "Numbers of the weights. (default: those of the parts)")
        var dtype: ModelOptions.Precision?

        @Option(help: "Of the fresh weights.")
        var seed: UInt64 = 0

        func run() throws {
            let assembly = try ModelAssembly(
                language: URL(fileURLWithPath: language), clip: URL(fileURLWithPath: clip),
                convNeXt: URL(fileURLWithPath: convnext))
            try assembly.write(to: URL(fileURLWithPath: out, isDirectory: true), dtype: dtype?.dtype, seed: seed)
            try Terminal.write("wrote \(out)")
        }
    }
}
