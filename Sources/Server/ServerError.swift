import Boxes
import ChatRex
import Checkpoints
import Downloading
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import LanguageModels
import NIOCore
import NIOHTTP1
import Torch
import UPN

/// What a request or a configuration lacks, in the form that OpenAI's interface gives errors.
public struct ServerError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for programs.
    public enum Code: String, Sendable, Codable {
        case configuration
        case invalidHTTP = "invalid_http"
        case invalidJSON = "invalid_json"
        case invalidValue = "invalid_value"
        case invalidMultipart = "invalid_multipart"
        case unsupportedMediaType = "unsupported_media_type"
        case unsupportedParameter = "unsupported_parameter"
        case missingImage = "missing_image"
        case invalidImage = "invalid_image"
        case imageTooLarge = "image_too_large"
        case remoteImage = "remote_image_not_allowed"
        case remoteImageFailed = "remote_image_failed"
        case bodyTooLarge = "body_too_large"
        case invalidBox = "invalid_box"
        case invalidText = "invalid_text"
        case invalidKey = "invalid_api_key"
        case forbiddenOrigin = "forbidden_origin"
        case notFound = "not_found"
        case modelNotFound = "model_not_found"
        case queueFull = "queue_full"
        case rateLimit = "rate_limit_exceeded"
        case deadline = "deadline_exceeded"
        case uploadTimeout = "upload_timeout"
        case loading = "model_loading"
        case cancelled
        case outOfMemory = "out_of_memory"
        case `internal` = "internal_error"
    }

    public var status: HTTPResponse.Status
    public var code: Code
    public var message: String
    /// The field at fault.
    public var parameter: String?
    /// Seconds after which a repetition has a chance.
    public var retryAfter: Int?

    public var description: String { message }

    init(
        _ status: HTTPResponse.Status, _ code: Code, _ message: String, parameter: String? = nil,
        retryAfter: Int? = nil
    ) {
        (self.status, self.code, self.message) = (status, code, message)
        (self.parameter, self.retryAfter) = (parameter, retryAfter)
    }

    static func configuration(_ message: String) -> ServerError { .init(.internalServerError, .configuration, message) }

    static func value(_ parameter: String, _ message: String) -> ServerError {
        .init(.badRequest, .invalidValue, "\(parameter) \(message)", parameter: parameter)
    }

    static func unsupported(_ parameter: String, _ message: String) -> ServerError {
        .init(.badRequest, .unsupportedParameter, "\(parameter): \(message)", parameter: parameter)
    }
}

extension ServerError {
    /// What any error means to the client. What is nobody's business is not told.
    init(_ error: any Error, limits: ServerOptions) {
        self =
            switch error {
            case let error as ServerError: error
            case let error as ImagingError: Self(imaging: error)
            case UPNError.pictureTooNarrow:
                .init(.badRequest, .invalidImage, "\(error)", parameter: "image")
            case is HTTPParserError:
                .init(.badRequest, .invalidHTTP, "the request's body does not follow HTTP, or broke off")
            case let error as TaskError: .init(.badRequest, .invalidText, "\(error)")
            case ChatRexError.box(let text): .init(.badRequest, .invalidBox, text, parameter: "boxes")
            case let error as LanguageModelError: .init(.badRequest, .invalidValue, "\(error)")
            case let error as DecodingError:
                .init(.badRequest, .invalidJSON, "the JSON does not fit: \(error.readable)")
            case is NIOTooManyBytesError:
                .init(.contentTooLarge, .bodyTooLarge, "the request is larger than \(limits.bodyLimit >> 20) MiB")
            case let error as HTTPError where error.status == .notFound:
                .init(.notFound, .notFound, "there is nothing here; /openapi.json lists what there is")
            case let error as TorchError where error.kind == .outOfMemory:
                .init(.serviceUnavailable, .outOfMemory, "the machine's memory ran out", retryAfter: 5)
            case is CancellationError: .init(.serviceUnavailable, .cancelled, "the request was cancelled")
            default: .init(.internalServerError, .internal, "something failed in the server; its log says what")
            }
    }

    init(download error: DownloadError) {
        self =
            switch error {
            case .invalidAddress, .hostNotAllowed, .privateAddress:
                .init(.badRequest, .remoteImage, "the picture is not fetched: \(error)", parameter: "image")
            case .tooManyBytes:
                .init(.contentTooLarge, .imageTooLarge, "the picture is not fetched: \(error)", parameter: "image")
            default: .init(.badRequest, .remoteImageFailed, "the picture was not fetched: \(error)", parameter: "image")
            }
    }

    private init(imaging error: ImagingError) {
        self =
            switch error {
            case .tooManyBytes, .tooManyPixels:
                .init(.contentTooLarge, .imageTooLarge, "\(error)", parameter: "image")
            case .empty, .unsupportedFormat, .damaged, .invalidSize:
                .init(.badRequest, .invalidImage, "\(error)", parameter: "image")
            case .encodingFailed: .init(.badRequest, .invalidImage, "\(error)")
            default: .init(.internalServerError, .internal, "something failed in the server; its log says what")
            }
    }

    /// The error as a document.
    var response: Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: document)))
    }

    var document: String {
        let type =
            switch status.code {
            case 401: "authentication_error"
            case 403: "permission_error"
            case 429: "rate_limit_error"
            case 500...: "server_error"
            default: "invalid_request_error"
            }
        let body = Body(message: message, type: type, param: parameter, code: code)
        return (try? JSONText.text(["error": body])) ?? #"{"error":{"message":"unknown"}}"#
    }

    private struct Body: Encodable {
        let message: String, type: String, param: String?, code: Code
    }
}

/// JSON as the server writes it.
enum JSONText {
    static func text(_ value: some Encodable) throws -> String {
        return String(decoding: try JSONEncoder.lines.encode(value), as: UTF8.self)
    }

    static func response(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: try text(value))))
    }
}
