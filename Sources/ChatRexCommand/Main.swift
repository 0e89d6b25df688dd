import ArgumentParser

/// `chatrex`, the command line.
@main
package struct ChatRexTool: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "chatrex",
        abstract: "Find things in pictures, count them and talk about them.",
        discussion: """
            Results go to standard output, progress and warnings to standard error. With --json every picture gives one line \
            of JSON.

            EXIT CODES
              0    done
              1    failed
              2    could not read or write something that was named
              64   the command line makes no sense
              130  interrupted
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Picture",
                subcommands: [
                    DetectCommand.self, CountCommand.self, AskCommand.self, CaptionCommand.self, ProposeCommand.self,
                ]),
            CommandGroup(name: "Service", subcommands: [ServeCommand.self]),
            CommandGroup(
                name: "Data and model",
                subcommands: [
                    ScenesCommand.self, EngineCommand.self, ModelCommand.self, TrainCommand.self, CurvesCommand.self,
                    EvalCommand.self,
                ]),
            CommandGroup(name: "Machine", subcommands: [BenchCommand.self, DoctorCommand.self, GoldenCommand.self]),
        ])

    package init() {}

    /// Runs the command that the arguments name; every failure ends in `ExitStatus`.
    package static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ExitStatus.end(after: error)
        }
    }
}
