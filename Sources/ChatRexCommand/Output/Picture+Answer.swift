import ChatRex

extension Picture {
    /// An answer about the picture as a block of text or a line of JSON. The plain answer about a single picture stands alone,
    /// so that it can be used as it is.
    func text(of answer: GroundedAnswer, drawn: String?, asJSON: Bool, isAlone: Bool) throws -> String {
        if asJSON {
            var record = PictureRecord(self, drawn: drawn)
            record.answer = answer
            return try JSONText.line(record)
        }
        if isAlone, answer.groups.isEmpty, drawn == nil { return Terminal.printable(answer.text) }
        return AnswerText.block(
            self, AnswerText.text(answer) + AnswerText.detections(answer, isComplete: false), drawnTo: drawn)
    }

    /// Tells the user what is not as it should be with an answer.
    func warn(about answer: GroundedAnswer) {
        if answer.isTruncated { Terminal.warn("\(path): the answer was cut off; --max-tokens allows more") }
    }
}
