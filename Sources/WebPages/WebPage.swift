import Crypto
import Foundation

/// A page in one file that loads nothing but pictures beside it: for any browser, without a server and without a network.
///
/// The page's own policy holds browsers to that: no script runs but the given one, and no other address is asked.
public struct WebPage: Sendable {
    /// Plain text.
    public var title: String
    /// Beside ``PageStyle/common``.
    public var style: String
    /// HTML; whatever comes from data must have gone through ``Markup/escaped(_:)``.
    public var body: String
    /// What the page does without is a help only.
    public var script: String?

    public init(title: String, style: String, body: String, script: String? = nil) {
        (self.title, self.style, self.body, self.script) = (title, style, body, script)
    }

    public var html: String {
        let scripts = script.map { "'sha256-\(Data(SHA256.hash(data: Data($0.utf8))).base64EncodedString())'" }
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; \
            script-src \(scripts ?? "'none'")">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="referrer" content="no-referrer">
            <title>\(Markup.escaped(title))</title>
            <style>
            \(PageStyle.common)
            \(style)
            </style>
            </head>
            <body>
            \(body)
            \(script.map { "<script>\($0)</script>" } ?? "")
            </body>
            </html>

            """
    }
}

/// Numbers in pages.
public enum PageNumber {
    /// A quotient with at most three digits after the point.
    public static func short(_ part: Double, of whole: Double = 1) -> String {
        let quotient = 1000 * part / whole
        guard quotient.magnitude < 1e15 else { return "0" }
        let thousandths = Int(quotient.rounded()), size = thousandths.magnitude
        var digits = "\(size / 1000)." + String(String(1000 + size % 1000).dropFirst())
        while digits.last == "0" { digits.removeLast() }
        if digits.last == "." { digits.removeLast() }
        return thousandths < 0 ? "-" + digits : digits
    }
}
