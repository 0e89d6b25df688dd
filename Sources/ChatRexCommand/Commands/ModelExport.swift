import ArgumentParser
import ChatRex
import Foundation
import Tokenizers
import Training
import UPN

extension ModelCommand {
    /// A model folder from what was trained.
    struct ExportCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Write a model folder that every command loads.",
            discussion: "EXAMPLE\n  chatrex model export --chatrex runs/joint --upn runs/upn --out Models/nano")

        @Option(help: ArgumentHelp("Run or folder of the model.", valueName: "folder"))
        var chatrex: String

        @Option(help: ArgumentHelp("Run or folder of the proposal network.", valueName: "folder"))
        var upn: String

        @Option(name: .shortAndLong, help: ArgumentHelp("The folder to write.", valueName: "folder"))
        var out: String

        @Option(help: "Queries of the proposal network, at least as many as it was trained with. (default: those)")
        var queries: Int?

        @Option(help: "Lowest score of a proposal where a user names none, 0...1. (default: the network's)")
        var proposalConf: Double?

        @Option(
            help:
                "IoU above which a proposal gives way to a better one where a user names none. (default: the network's)"
        )
        var iou: Double?

        @Option(help: "Numbers of the weights.")
        var dtype = ModelOptions.Precision.float16

        func run() throws {
            let source = ModelFolder(ChatRexTraining.exported(URL(fileURLWithPath: chatrex, isDirectory: true)))
            let target = ModelFolder(URL(fileURLWithPath: out, isDirectory: true))
            let model = try ChatRexModel.load(source.url)
            let trained = try UniversalProposalNetwork.load(
                ChatRexTraining.exported(URL(fileURLWithPath: upn, isDirectory: true)))
            let network = try trained.adapted(queryCount: queries, minimumScore: proposalConf, overlapLimit: iou)
            let tokenizer = try BytePairTokenizer(contentsOf: source.tokenizer)
            try model.save(to: target.url, dtype: dtype.dtype)
            try network.save(to: target.proposalNetwork, dtype: dtype.dtype)
            try tokenizer.write(to: target.tokenizer)
            try Terminal.write("wrote \(out)")
        }
    }
}
