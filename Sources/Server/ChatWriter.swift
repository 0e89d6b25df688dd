import ChatRex
import ChatRexAPI
import Foundation

/// Turns what the model writes into what the client gets: text with or without tags, cut at a stop text, and detections.
struct ChatWriter: Sendable {
    /// What is to be sent.
    struct Piece: Sendable {
        var content = ""
        var detections: [Detection] = []
        var notFound: [String] = []
        /// Of what the model wrote, whether the content has it already or not.
        var tokens: [TokenChoice] = []

        var isEmpty: Bool { content.isEmpty && detections.isEmpty && notFound.isEmpty && tokens.isEmpty }
    }

    private let isPlain: Bool
    private var stops: StopTexts
    /// All that was sent.
    private(set) var whole = Piece()
    /// The text without tags, as far as the model has written it.
    private(set) var plainText = ""

    init(isPlain: Bool, stops: [String]) {
        self.isPlain = isPlain
        self.stops = StopTexts(stops)
    }

    /// Whether a stop text has come: nothing follows any more.
    var isStopped: Bool { stops.isFound }

    mutating func add(_ update: AnswerUpdate) -> Piece {
        if isStopped { return Piece() }
        var piece = Piece(content: stops.pass(isPlain ? update.text : update.rawText))
        piece.tokens = update.tokens
        plainText += update.text
        if !isStopped {
            piece.detections = Detection.all(in: update.groups)
            piece.notFound = update.groups.filter { $0.objects.isEmpty }.map(\.phrase)
        }
        return keep(piece)
    }

    /// What was held back because a stop text might have begun.
    mutating func finish() -> Piece { keep(Piece(content: stops.finish())) }

    private mutating func keep(_ piece: Piece) -> Piece {
        whole.content += piece.content
        whole.detections += piece.detections
        whole.notFound += piece.notFound
        whole.tokens += piece.tokens
        return piece
    }
}

/// Lets text pass up to the first of some texts, which may come in pieces.
struct StopTexts: Sendable {
    private let texts: [[UInt8]]
    private var held: [UInt8] = []
    private(set) var isFound = false

    init(_ texts: [String]) {
        self.texts = texts.map { Array($0.utf8) }.filter { !$0.isEmpty }
    }

    /// The text that is certain to come before any stop.
    mutating func pass(_ text: String) -> String {
        if isFound { return "" }
        held += text.utf8
        var certain = 0
        while certain < held.count {
            let rest = held[certain...]
            if texts.contains(where: { rest.starts(with: $0) }) {
                isFound = true
                break
            }
            if texts.contains(where: { $0.starts(with: rest) }) { break }
            certain += 1
        }
        defer { held = isFound ? [] : Array(held[certain...]) }
        return String(decoding: held[..<certain], as: UTF8.self)
    }

    /// What is held back, at the end of the text.
    mutating func finish() -> String {
        defer { held = [] }
        return String(decoding: held, as: UTF8.self)
    }
}
