import Downloading
import Foundation
import Hummingbird
import NIOCore
import Testing

@Suite("Files from other servers") struct DownloaderTests {
    /// A server of this machine that the tests' downloader may ask.
    private struct Origin {
        let port: Int

        init() async throws {
            let router = Router()
            router.get("file") { _, _ in "content" }
            router.get("long") { _, _ in String(repeating: "x", count: 5000) }
            router.get("missing") { _, _ in Response(status: .notFound) }
            router.get("slow") { _, _ in
                try await Task.sleep(for: .seconds(3600))
                return "late"
            }
            router.get("moved") { _, _ in Response(status: .found, headers: [.location: "/file"]) }
            router.get("circle") { _, _ in Response(status: .found, headers: [.location: "/circle"]) }
            router.get("inward") { _, _ in Response(status: .found, headers: [.location: "http://127.0.0.2/secret"]) }
            router.get("other") { _, _ in Response(status: .found, headers: [.location: "http://example.org/"]) }
            router.get("scheme") { _, _ in Response(status: .found, headers: [.location: "file:///etc/passwd"]) }
            port = try await DownloadingTests.port(serving: router)
        }

        func address(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

        var downloader: Downloader {
            get throws {
                let pattern = try #require(HostPattern("127.0.0.1:\(port)"))
                var downloader = Downloader(hosts: [pattern]) { $0.ipAddress == "127.0.0.1" }
                // Other tests keep the machine busy.
                (downloader.byteLimit, downloader.timeLimit) = (1000, .seconds(120))
                return downloader
            }
        }
    }

    private static let origin = Task { try await Origin() }

    @Test("A file arrives, also from where a redirect leads", arguments: ["file", "moved"])
    func fetches(path: String) async throws {
        let origin = try await Self.origin.value
        #expect(try await origin.downloader.bytes(from: origin.address(path)) == Array("content".utf8))
    }

    @Test(
        "What cannot be had has a reason",
        arguments: [
            ("long", DownloadError.tooManyBytes(limit: 1000)), ("missing", .status(404)),

            ("circle", .tooManyRedirects(limit: 3)), ("inward", .hostNotAllowed("127.0.0.2")),
            ("other", .hostNotAllowed("example.org")), ("scheme", .invalidAddress("file:///etc/passwd")),
        ])
    func fails(path: String, error: DownloadError) async throws {
        let origin = try await Self.origin.value
        await #expect(throws: error) { try await origin.downloader.bytes(from: origin.address(path)) }
    }

    @Test("What takes too long is given up")
    func timeout() async throws {
        let origin = try await Self.origin.value
        var downloader = try origin.downloader
        downloader.timeLimit = .seconds(1)
        await #expect(throws: DownloadError.timeout(seconds: 1)) {
            try await downloader.bytes(from: origin.address("slow"))
        }
    }

    @Test("Where nobody listens, nothing is fetched")
    func refusedConnection() async throws {
        var downloader = Downloader(hosts: nil) { _ in true }
        downloader.timeLimit = .seconds(120)
        await #expect(throws: DownloadError.failed("no connection to 127.0.0.1")) {
            try await downloader.bytes(from: "http://127.0.0.1:1/x")
        }
    }

    @Test(
        "Addresses within are refused in every spelling",
        arguments: [
            "http://127.0.0.1/", "http://localhost/", "https://127.1/", "http://2130706433/", "http://0x7f000001/",
            "http://0177.0.0.1/", "http://0/", "http://10.1.2.3/", "http://172.16.0.1/", "http://172.31.255.255/",
            "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/", "http://[::1]/",
            "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:10.0.0.1]/", "http://[fe80::1]/",
            "http://[fd00::1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001::1]/",
            "http://224.0.0.1/", "http://255.255.255.255/", "http://LOCALHOST:80/",
        ])
    func privateAddresses(address: String) async throws {
        await #expect {
            _ = try await Downloader().bytes(from: address)
        } throws: { error in
            // A resolver may also know nothing of an odd spelling; either way nothing is connected to.
            switch error as? DownloadError {
            case .privateAddress, .unknownHost, .invalidAddress: true
            default: false
            }
        }
    }

    @Test(
        "What is no address of a web server is refused",
        arguments: [
            "", "cat.jpg", "file:///etc/passwd", "ftp://example.org/x", "http://", "http:///x", "gopher://x/",
            "http://user:secret@example.org/", "http://exa mple.org/", "http://ex%61mple.org%2f.evil/", "http://a..b/",
            "http://[::1%25eth0]/", "//example.org/x",
        ])
    func invalid(address: String) async throws {
        await #expect {
            _ = try await Downloader(hosts: [try #require(HostPattern("example.org"))]).bytes(from: address)
        } throws: { error in
            if case .invalidAddress = error as? DownloadError { true } else { false }
        }
    }

    @Test(
        "A pattern says which hosts are meant",
        arguments: [
            ("example.org", "www.example.org", nil, false), ("*.example.org", "example.org", nil, false),
            ("*.example.org", "badexample.org", nil, false), ("example.org", "example.org", 8080, false),
            ("example.org", "example.org.evil.test", nil, false), ("example.org:8080", "example.org", nil, false),
            ("Example.ORG", "eXample.org", nil, true), ("*.example.org", "a.b.example.org", nil, true),
            ("example.org:8080", "example.org", 8080, true),
        ] as [(String, String, Int?, Bool)])
    func patterns(pattern: String, host: String, port: Int?, isMeant: Bool) throws {
        #expect(try #require(HostPattern(pattern)).matches(host: host, port: port) == isMeant)
    }

    @Test(
        "Texts that are no patterns", arguments: ["", "*", "*.", "a..b", "http://example.org", "a:0", "a:99999", "a b"])
    func badPatterns(text: String) {
        #expect(HostPattern(text) == nil)
    }
}
