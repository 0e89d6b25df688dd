import ArgumentParser
import ChatRex
import Foundation
import Torch
import UPN

/// Which networks a command runs.
package struct ModelOptions: ParsableArguments {
    /// Number formats of weights.
    enum Precision: String, ExpressibleByArgument, CaseIterable {
        case float32, bfloat16, float16

        var dtype: DType {
            switch self {
            case .float32: .float32
            case .bfloat16: .bfloat16
            case .float16: .float16
            }
        }
    }

    @Option(help: ArgumentHelp("A model's folder, or the name of a built-in model.", valueName: "model"))
    var model = ModelFolder.builtInName

    @Option(help: ArgumentHelp("File or folder of another proposal network than the model's own.", valueName: "path"))
    var proposals: String?

    @Option(help: "Numbers of the weights. (default: float32 on the CPU, bfloat16 elsewhere)")
    var dtype: Precision?

    @OptionGroup var device: DeviceOptions

    package init() {}

    private var proposalNetwork: URL? { proposals.map { URL(fileURLWithPath: $0) } }

    /// Loads the whole model.
    func session() async throws -> ChatRexSession {
        let load = try loader()
        Terminal.showProgress("loading \(model)", isLogged: false)
        return try await load()
    }

    /// Finds the whole model and gives what loads it.
    func loader() throws -> @Sendable () async throws -> ChatRexSession {
        let (folder, proposals) = (try ModelFolder.find(model), proposalNetwork)
        let (device, dtype) = (try device.prepare(), dtype?.dtype)
        return { try await ChatRexSession(model: folder, proposalNetwork: proposals, device: device, dtype: dtype) }
    }

    /// Loads the proposal network alone.
    func network() throws -> UniversalProposalNetwork {
        Terminal.showProgress("loading \(proposals ?? model)", isLogged: false)
        let place = try proposalNetwork ?? ModelFolder.find(model).proposalNetwork
        let device = try device.prepare()
        Runtime.initialize()
        return try UniversalProposalNetwork.load(place, device: device, dtype: dtype?.dtype ?? .float32)
    }
}
