import ArgumentParser
import ChatRex

/// Refuses what is not within 0...1.
func checkUnit(_ value: Double, _ option: String) throws {
    // Not a number is within no range.
    if !(0...1).contains(value) { throw ValidationError("\(option) must be within 0...1.") }
}

/// Refuses texts that the model cannot be asked, before any model is loaded.
func checkText<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as TaskError {
        throw ValidationError("\(error)")
    }
}
