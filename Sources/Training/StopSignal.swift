import Foundation

/// Lets a run end in an orderly way when the process is asked to stop (SIGTERM, Ctrl-C).
///
/// The first signal is noted; a second one ends the process at once.
public enum StopSignal {
    // Written by the signal handler alone. A handler may touch nothing but such a plain word: no lock, no memory.
    nonisolated(unsafe) private static var received: sig_atomic_t = 0

    /// Starts to listen.
    public static func install() {
        received = 0
        for number in [SIGTERM, SIGINT] {
            signal(number) { number in
                StopSignal.received = 1
                signal(number, SIG_DFL)
            }
        }
    }

    /// Whether a signal has come.
    public static var isRaised: Bool { received != 0 }
}
