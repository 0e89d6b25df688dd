import ArgumentParser
import Foundation
import Torch

/// Where and how numbers are computed.
package struct DeviceOptions: ParsableArguments {
    /// A device, or the best one that the machine has.
    enum Choice: Equatable {
        case auto
        case device(Device)
    }

    @Option(
        help: ArgumentHelp(
            "auto (a GPU where there is one), cpu, cuda, cuda:N or mps. (default: auto)", valueName: "device"),
        transform: { $0 == "auto" ? .auto : .device(try Device(parsing: $0)) })
    var device = Choice.auto

    @Option(help: "Threads of the CPU. (default: all cores)")
    var threads: Int?

    package init() {}

    package func validate() throws {
        if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be within 1...1024.") }
    }

    /// Sets the number of threads and finds the device. Call once, before anything is computed.
    /// - Throws: `TorchError` when the machine has no such device.
    func prepare() throws -> Device {
        try Runtime.setThreadCount(threads ?? ProcessInfo.processInfo.activeProcessorCount)
        switch device {
        case .auto: return Device.best
        case .device(let device): return try device.checked()
        }
    }
}
