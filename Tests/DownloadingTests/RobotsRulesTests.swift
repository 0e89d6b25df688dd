import Downloading
import Testing

@Suite("What a robots.txt allows") struct RobotsRulesTests {
    private func rules(_ text: String, as userAgent: String = "chatrex/1.0 (+https://example.org)") -> RobotsRules {
        RobotsRules(Array(text.utf8), userAgent: userAgent)
    }

    @Test(
        "The longest pattern decides, and of equal ones the allowing one",
        arguments: [
            ("Disallow: /a\nAllow: /a/b", "/a/b/c", true), ("Disallow: /a\nAllow: /a/b", "/a/c", false),
            ("Allow: /p\nDisallow: /", "/page", true), ("Allow: /folder\nDisallow: /folder", "/folder/x", true),
            ("Disallow: /", "/robots.txt", true), ("Disallow:", "/x", true), ("", "/x", true),
            ("Disallow: /*.gif$", "/x/y.gif", false), ("Disallow: /*.gif$", "/x/y.gif?z", true),
            ("Disallow: /*.gif", "/x/y.gifs", false), ("Disallow: /fish*", "/fishheads/y", false),
            ("Disallow: /fish", "/Fish", true), ("Disallow: /fish/", "/fish", true), ("Disallow: /*?", "/x?y=z", false),
            ("Disallow: /a*b*c", "/aXbXbXc", false), ("Disallow: /a*b$", "/abab", false),
            ("Disallow: /x$", "/xy", true),
            ("Disallow: /%7Ejoe/", "/~joe/x", false), ("Disallow: /ü", "/%C3%BC/x", false),
            ("Disallow: /%c3%bc", "/ü", false), ("Disallow: /a%2Fb", "/a/b", true), ("Disallow: /x # why", "/x", false),
            ("disallow:/x", "/x", false), ("Disallow: /a\nCrawl-delay: 2\nDisallow: /b", "/b", false),
        ])
    func patterns(text: String, path: String, isAllowed: Bool) {
        #expect(rules("User-agent: *\n" + text).allow(path) == isAllowed, "\(text) \(path)")
    }

    @Test("A crawler follows the groups with its name, or else those for all")
    func groups() {
        let text = """
            \u{FEFF}User-agent: other
            User-Agent: ChatRex/2
            Disallow: /own
            Crawl-delay: 2.5

            User-agent: *
            Disallow: /
            Sitemap: https://example.org/map.xml

            user-agent: chatrex
            Disallow: /more
            """.replacingOccurrences("\n", with: "\r\n")
        #expect(!rules(text).allow("/own") && !rules(text).allow("/more") && rules(text).allow("/x"))
        #expect(rules(text).delay == 2.5)
        #expect(!rules(text, as: "somebody").allow("/x") && rules(text, as: "somebody").delay == nil)
        #expect(!rules(text, as: "").allow("/x"))
        #expect(rules(text, as: "other").allow("/more"))
    }

    @Test("A file that is no text takes no time and forbids nothing")
    func noise() {
        let noise = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        #expect(RobotsRules(noise, userAgent: "chatrex").allow("/x"))
        let hard = "User-agent: *\nDisallow: /" + String(repeating: "*a", count: 500) + "$"
        #expect(rules(hard).allow("/" + String(repeating: "a", count: 2000) + "b"))
    }
}

extension String {
    /// Without Foundation.
    fileprivate func replacingOccurrences(_ old: Character, with new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
