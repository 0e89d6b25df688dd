// Answers of language models by what was asked: no answer is paid for twice, even after a kill, since it is stored before it is used.
//
// What is kept is the answer as it came. Whether it is any good is judged each time that it is read, so a refusal never counts as a
// description, and is not paid for again either. Failures are not kept.

import Foundation
import GRDB

/// A file of answers, shared by the tasks of a process and by several processes of one machine.
public actor AnswerCache {
    public nonisolated let url: URL
    private nonisolated let database: DatabasePool
    /// Questions that are being asked, with the tasks that wait for the same answer.
    private var asked: [Data: WaitingLine] = [:]

    /// Opens a file of answers, or begins one.
    /// - Throws: `EngineError.inaccessible`.
    public init(_ url: URL) throws {
        self.url = url
        var configuration = Configuration()
        configuration.busyMode = .timeout(30)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        database = try Self.guarded(url) {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            let database = try DatabasePool(path: url.path, configuration: configuration)
            var migrator = DatabaseMigrator()
            migrator.registerMigration("1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE answer (
                            key BLOB PRIMARY KEY,
                            endpoint TEXT NOT NULL,
                            text TEXT NOT NULL,
                            finish_reason TEXT NOT NULL,
                            prompt_tokens INTEGER NOT NULL,
                            completion_tokens INTEGER NOT NULL,
                            created REAL NOT NULL
                        ) WITHOUT ROWID;
                        """)
            }
            try migrator.migrate(database)
            return database
        }
    }

    /// The stored answer, or the one that `ask` gives, which is then stored. Equal questions that come at the same time are asked once.
    ///
    /// - Parameters:
    ///   - key: of the question
    ///   - endpoint: under which the answer is accounted for
    /// - Throws: what `ask` throws, and `EngineError.inaccessible`.
    public func reply(
        for key: Data, endpoint: String, ask: @Sendable () async throws -> ChatReply
    ) async throws -> (reply: ChatReply, wasStored: Bool) {
        while asked[key] != nil {
            guard let (ticket, signal) = asked[key]?.join() else { continue }
            await signal.end()
            if Task.isCancelled {
                _ = asked[key]?.leave(ticket)
                throw CancellationError()
            }
        }
        asked[key] = WaitingLine()
        defer {
            asked[key]?.wakeAll()
            asked[key] = nil
        }
        if let found = try await find(key) { return (found, true) }
        return (try await store(ask(), for: key, endpoint: endpoint), false)
    }

    /// What the stored answers took, by endpoint.
    public nonisolated func usage() async throws -> [String: EndpointUsage] {
        try await guarded { database in
            let rows = try Row.fetchAll(
                database,
                sql:
                    "SELECT endpoint, COUNT(*), SUM(prompt_tokens), SUM(completion_tokens) FROM answer GROUP BY endpoint"
            )
            return rows.reduce(into: [:]) { usage, row in
                var endpoint = EndpointUsage()
                (endpoint.answers, endpoint.promptTokens, endpoint.completionTokens) = (row[1], row[2], row[3])
                usage[row[0]] = endpoint
            }
        }
    }

    /// Writes everything into the one file and lets go of it; nothing can be asked afterwards.
    public nonisolated func close() throws {
        try Self.guarded(url) { try database.close() }
    }

    private nonisolated func find(_ key: Data) async throws -> ChatReply? {
        try await guarded { try Self.find(key, $0) }
    }

    private static func find(_ key: Data, _ database: Database) throws -> ChatReply? {
        let row = try Row.fetchOne(
            database, sql: "SELECT text, finish_reason, prompt_tokens, completion_tokens FROM answer WHERE key = ?",
            arguments: [key])
        return row.map {
            ChatReply(text: $0[0], finishReason: $0[1], promptTokens: $0[2], completionTokens: $0[3])
        }
    }

    /// - Returns: the answer that the file has: where another process was quicker, its answer.
    private nonisolated func store(_ reply: ChatReply, for key: Data, endpoint: String) async throws -> ChatReply {
        do {
            return try await database.write { database in
                try database.execute(
                    sql: "INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?)",
                    arguments: [
                        key, endpoint, reply.text, reply.finishReason, reply.promptTokens, reply.completionTokens,
                        Date().timeIntervalSince1970,
                    ])
                return try Self.find(key, database) ?? reply
            }
        } catch {
            throw Self.readable(error, url)
        }
    }

    private nonisolated func guarded<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        do { return try await database.read(body) } catch { throw Self.readable(error, url) }
    }

    private static func guarded<Value>(_ url: URL, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch { throw readable(error, url) }
    }

    private static func readable(_ error: any Error, _ url: URL) -> any Error {
        if error is CancellationError { return error }
        let reason =
            switch (error as? DatabaseError)?.resultCode {
            case .SQLITE_NOTADB?, .SQLITE_CORRUPT?:
                "the file of stored answers is damaged; move it away to go on without it (its answers are then asked for again)"
            case .SQLITE_FULL?: "the disk is full; free space and repeat the command"
            case .SQLITE_BUSY?, .SQLITE_LOCKED?:
                "another process holds it for too long; end that process and repeat the command"
            case .SQLITE_READONLY?, .SQLITE_CANTOPEN?, .SQLITE_PERM?:
                "it cannot be written; see its folder's permissions"
            default: "the stored answers cannot be used: \(error)"
            }
        return EngineError.inaccessible(path: url.path, reason: reason)
    }
}

/// An endpoint whose answers are kept.
public struct StoredAnswersModel: ChatModel {
    public let endpoint: ChatEndpoint
    public let cache: AnswerCache

    public init(_ endpoint: ChatEndpoint, cache: AnswerCache) {
        (self.endpoint, self.cache) = (endpoint, cache)
    }

    public func reply(to question: ChatQuestion) async throws -> ChatReply {
        let name = endpoint.settings.model.isEmpty ? endpoint.address : "\(endpoint.address) \(endpoint.settings.model)"
        let (reply, wasStored) = try await cache.reply(for: endpoint.digest(of: question), endpoint: name) {
            [endpoint] in try await endpoint.reply(to: question)
        }
        if wasStored { endpoint.noteStored() }
        return reply
    }
}
