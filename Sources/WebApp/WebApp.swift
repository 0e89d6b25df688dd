/// The page and the interface's description, inside the program.
public enum WebFiles {
    /// A file as it is served.
    public struct File: Sendable {
        public let bytes: [UInt8]
        public let mediaType: String
    }

    /// Every file by the path it is served under.
    public static let byPath: [String: File] = [
        "/": File(bytes: PackageResources.index_html, mediaType: "text/html; charset=utf-8"),
        "/app.css": File(bytes: PackageResources.app_css, mediaType: "text/css; charset=utf-8"),
        "/app.js": File(bytes: PackageResources.app_js, mediaType: "text/javascript; charset=utf-8"),
        "/overlay.js": File(bytes: PackageResources.overlay_js, mediaType: "text/javascript; charset=utf-8"),
        "/service.js": File(bytes: PackageResources.service_js, mediaType: "text/javascript; charset=utf-8"),
        "/export.js": File(bytes: PackageResources.export_js, mediaType: "text/javascript; charset=utf-8"),
        "/icon.svg": File(bytes: PackageResources.icon_svg, mediaType: "image/svg+xml"),
        "/openapi.json": File(bytes: PackageResources.openapi_json, mediaType: "application/json"),
    ]
}
