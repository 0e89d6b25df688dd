// swift-tools-version: 6.1
import PackageDescription

// libtorch: a `torch` wheel's folder with `include/` and `lib/`. `Scripts/bootstrap.sh` puts one under `.deps/`.
let libtorch = Context.environment["LIBTORCH"] ?? "\(Context.packageDirectory)/.deps/libtorch"

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func part(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

let package = Package(
    name: "ChatRex",
    platforms: [.macOS(.v14)],
    products: [],
    dependencies: [],
    targets: [
        .target(
            name: "CTorch",
            cxxSettings: [.unsafeFlags(["-I\(libtorch)/include", "-Wno-deprecated-declarations"])],
            linkerSettings: [
                .unsafeFlags(["-L\(libtorch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(libtorch)/lib"]),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]),
        part("Torch", ["CTorch"]),
        part("TorchNN", ["Torch"]),
        part("Checkpoints", ["Torch", "TorchNN"]),
        part("VisionEncoders", ["Torch", "TorchNN"]),
        part("Tokenizers"),
        part("LanguageModels", ["Torch", "TorchNN", "Tokenizers", "Checkpoints"]),
        part("Boxes"),
        part("UPN", ["Boxes", "Checkpoints", "Imaging", "Torch", "TorchNN", "VisionEncoders"]),
        .systemLibrary(name: "CLibvips", pkgConfig: "vips", providers: [.apt(["libvips-dev"]), .brew(["vips"])]),
        .target(name: "CVips", dependencies: ["CLibvips"]),
        part("Imaging", ["CVips"]),
        .systemLibrary(
            name: "CLibrsvg", pkgConfig: "librsvg-2.0", providers: [.apt(["librsvg2-dev"]), .brew(["librsvg"])]),
        .target(name: "CSVG", dependencies: ["CLibrsvg"]),
        part(
            "ChatRex",
            ["Boxes", "Checkpoints", "Imaging", "LanguageModels", "Tokenizers", "Torch", "TorchNN", "UPN", "VisionEncoders"]),
        part("Scenes", ["Boxes", "CSVG", "Imaging"]),
        part(
            "Training",
            ["Boxes", "Checkpoints", "Imaging", "Scenes", "Torch", "TorchNN", "UPN"]),

        tests("Torch", ["Torch"]),
        tests("TorchNN", ["Torch", "TorchNN"]),
        tests("Checkpoints", ["Checkpoints", "Torch", "TorchNN"]),
        tests("Boxes", ["Boxes"]),
        tests("Imaging", ["Imaging"], exclude: ["Fixtures"]),
        tests("Scenes", ["Boxes", "Imaging", "Scenes"]),
        tests("Training", ["Boxes", "Checkpoints", "Imaging", "Scenes", "Torch", "TorchNN", "Training", "UPN", "VisionEncoders"]),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx20
)
