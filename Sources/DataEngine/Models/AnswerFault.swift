/// Why an answer of a language model is not taken. The names are part of the reasons under which pictures and regions are dropped.
public enum AnswerFault: String, Error, Codable, Sendable, CaseIterable {
    case empty
    case otherLanguage = "in another language"
    case refused
    case repetitive
    case tooLong = "too long"
    /// The limit of tokens came before the first sentence's end.
    case cutOff = "cut off"
}

/// What an answer was to be.
public enum AnswerSubject: String, Codable, Sendable, CaseIterable {
    case caption, description

    /// The drop of something whose every answer was faulty: `caption empty`, `description in another language`.
    public func drop(for fault: AnswerFault, detail: String = "") -> Drop {
        Drop("\(rawValue) \(fault.rawValue)", detail: detail)
    }
}

extension Drop {
    /// A region of which too little is seen for a description.
    static func regionTooSmall(_ width: Double, _ height: Double) -> Drop {
        Drop("region too small", detail: "\(Int(width.rounded()))x\(Int(height.rounded())) pixels")
    }
}
