import Boxes

/// Forms of annotated pictures that are read.
public enum ImportFormat: String, CaseIterable, Codable, Sendable {
    /// `instances_*.json`, and captions beside it.
    case coco
    /// `lvis_v1_*.json`: COCO's form with categories that were looked for in vain.
    case lvis
    /// `zhiyuan_objv2_*.json`: COCO's form, pictures in folders `patch0` to `patch50`.
    case objects365
    /// `*-annotations-bbox.csv` and the table of class descriptions.
    case openImages = "openimages"
    /// RefCOCO, RefCOCO+ and RefCOCOg: `refs(*).p` or the same as JSON with `instances.json`, or expressions as captions in COCO's form.
    case refCOCO = "refcoco"
    /// `image_data.json`, `objects.json`, `region_descriptions.json`.
    case visualGenome = "visual-genome"
    /// `data.yaml`, `labels/*.txt`.
    case yolo
    /// JSON with conversations, as LLaVA and ALLaVA publish them.
    case llava
    /// Tasks of Label Studio.
    case labelStudio = "label-studio"
    /// `samples.json` of FiftyOne.
    case fiftyOne = "fiftyone"
    /// Tab-separated lines with pictures and annotations, as Rexverse-2M is published.
    case rexverse
    /// What the engine or an import wrote, or `annotations.jsonl` and `pictures/`.
    case folder

    /// What becomes of the form's contents, and what does not, for the documentation and the log.
    public var keeps: String {
        switch self {
        case .coco: "boxes, categories, scores, a caption a picture; no masks, no crowd regions"
        case .lvis: "boxes, categories, the categories that were looked for in vain; no masks"
        case .objects365: "boxes, categories; no crowd regions"
        case .openImages: "boxes, categories, the labels that people found absent; no groups"
        case .refCOCO:
            "all boxes of the pictures with their categories, every referring expression of the split; no masks"
        case .visualGenome:
            "objects with their first name, regions with their descriptions; no relationships, attributes, questions"
        case .yolo: "boxes, categories, scores; outlines become boxes"
        case .llava: "conversations; of our own files everything but scores"
        case .labelStudio: "boxes, labels, scores, texts of regions, a caption"
        case .fiftyOne: "detections of one field with their texts, a caption"
        case .rexverse: "boxes, phrases, descriptions, referring expressions"
        case .folder: "everything"
        }
    }
}

/// Forms of annotated pictures that are written.
public enum ExportFormat: String, CaseIterable, Codable, Sendable {
    /// `annotations.json` (instances) and `captions.json`, pictures in `images/`.
    case coco
    /// `data.yaml`, `labels/*.txt`, pictures in `images/`: also what the package `supervision` reads.
    case yolo
    /// `data.json` with conversations, pictures in `images/`.
    case llava
    /// `tasks.json` to import into Label Studio, pictures in `images/`.
    case labelStudio = "label-studio"
    /// `samples.json`, pictures in `data/`: FiftyOne's own JSON form.
    case fiftyOne = "fiftyone"
    /// Tab-separated lines with pictures and annotations, as Rexverse-2M is published.
    case rexverse
    /// `annotations.jsonl` and `pictures/`: everything that an annotation says.
    case folder

    /// What a set loses on its way through this form and back, for the documentation and the log.
    public var loses: String {
        switch self {
        case .coco:
            "phrases, descriptions, referring expressions, where a caption's phrases stand, conversations, region ids"
        case .yolo: "everything but boxes and categories; boxes keep six digits of the picture's sides"
        case .llava: "scores, region ids"
        case .labelStudio: "where a caption's phrases stand, conversations, region ids"
        case .fiftyOne: "where a caption's phrases stand, conversations"
        case .rexverse: "where a caption's phrases stand, conversations, region ids"
        case .folder: "nothing"
        }
    }
}

/// How records are taken from another form.
public struct ImportSettings: Codable, Sendable, Equatable {
    /// Whether one bad record ends the import. Otherwise bad ones are left out and reported.
    public var refusesBadRecords = false
    /// Where pictures lie, if not beside the file.
    public var pictures: String?
    /// What `Annotation.source` says.
    public var source = "import"
    /// How boxes are written in Rexverse's files.
    public var rexverseBoxes = BoxFormat.xywh
    /// Whether boxes that reach out of their picture are cut at its edge, if half of them lies within. Otherwise they are bad records.
    public var cutsBoxes = false
    /// Which part of a set is taken where a file holds several, as RefCOCO's `train`, `val` and `testA`; `all` for all of them.
    public var split: String?

    public init() {}
}

/// How annotations are written in another form.
public struct ExportSettings: Codable, Sendable, Equatable {
    /// Stands before the file name in the addresses of pictures that Label Studio is given; the default is its local file storage.
    public var labelStudioPrefix = "/data/local-files/?d=images/"
    /// Names the set where a form has a place for it.
    public var name = "chatrex"

    public init() {}
}
