import ArgumentParser
import ChatRex
import LanguageModels

/// How the language model writes.
package struct AnswerWritingOptions: ParsableArguments {
    @Option(help: "Most tokens of an answer.")
    var maxTokens = AnswerOptions().maxTokens

    @Option(help: "0 always takes the likeliest word; higher values vary more, up to 2.")
    var temperature = 0.0

    @Option(help: "Makes a varied answer repeatable.")
    var seed: UInt64 = 0

    package init() {}

    package func validate() throws {
        if !(1...32768).contains(maxTokens) { throw ValidationError("--max-tokens must be within 1...32768.") }
        if !(0...2).contains(temperature) { throw ValidationError("--temperature must be within 0...2.") }
    }

    /// - Parameter conf: the lowest score of a detection.
    func options(conf: Double = 0) -> AnswerOptions {
        AnswerOptions(
            maxTokens: maxTokens, sampling: SamplingOptions(temperature: temperature, seed: seed), minimumScore: conf)
    }
}
