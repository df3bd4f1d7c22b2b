"""Small trees of files that lie as the Human Phenotype Project, AI-READI and UK Biobank have them, all invented."""

import json

import numpy as np
import pandas as pd
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

N = 24
STAGES = ("00_00_visit", "02_00_visit")
CONDITIONS = ["cardiovascular_diseases_hypertension", "neurological_disorders_obstructive_sleep_apnea"]
OLD = "tabular_field_name,field_string,description_string,relative_location,value_type,units,sampling_rate,item_type"
NEW = "tabular_field_name,field_string,description_string,field_type,bulk_dictionary,units,relative_location"


def rng():
    return np.random.default_rng(7)


# UK Biobank

FIELDS = {"21003": (40, 70), "50": (150, 190), "21001": (20, 35), "48": (70, 110), "49": (85, 120), "46": (15, 50)}
FIELDS |= {"47": (15, 50), "4079": (60, 100), "4080": (100, 170), "3062": (2, 6), "3063": (1, 5)}


def uk_biobank(folder, spelling="46-0.0", suffix="csv"):
    """Two tables, the second in another order; the values under the manifests' names."""
    draw, columns = rng(), {"31-0.0": np.arange(N) % 2}
    for field, (low, high) in FIELDS.items():
        for array in range(2 if field in ("4079", "4080") else 1):
            columns[f"{field}-0.{array}"] = draw.uniform(low, high, N).round(1)
    columns["20116-0.0"] = np.where(np.arange(N) == 3, -3, np.arange(N) % 3)
    table = pd.DataFrame(columns, index=pd.Index(5_000 + np.arange(N), name="eid"))
    written = table.rename(columns=lambda name: spelled(name, spelling))
    written = written.rename_axis("f.eid" if spelling == "f.46.0.0" else "eid")
    half = table.shape[1] // 2
    folder.mkdir(parents=True)
    for name, part in (("first", written.iloc[:, :half]), ("second", written.iloc[::-1, half:])):
        path = folder / f"{name}.{suffix}"
        if suffix == "parquet":
            part.reset_index().to_parquet(path, index=False)
        else:
            part.to_csv(path, sep="\t" if suffix == "tsv" else ",")
    return table


def spelled(name, spelling):
    field, _, array = name.partition("-0.")
    arrays = "" if field not in ("4079", "4080") else f"_a{array}"
    pythons = f"p{field}" if field == "31" else f"p{field}_i0{arrays}"
    return {"46-0.0": name, "f.46.0.0": f"f.{field}.0.{array}", "p46_i0": pythons}[spelling]


# Human Phenotype Project


def hpp(folder, header=OLD, cohort=""):
    """Three nights a person, a second visit, images and nights of some; the dictionaries of either version."""
    draw, ids = rng(), 7_000 + np.arange(N)
    place = {"cohort": "10k", "array_index": 0}

    def write(dataset, columns, units=None, **index):
        where = folder / dataset / cohort if cohort else folder / dataset
        (where / "metadata").mkdir(parents=True, exist_ok=True)
        frame = pd.DataFrame({"participant_id": ids, **place, **index, **columns})
        frames = [
            frame.assign(research_stage=STAGES[0]),
            frame.head(5).assign(research_stage=STAGES[1], **_other(columns)),
        ]
        levels = ["participant_id", "cohort", "research_stage", "array_index"]
        pd.concat(frames).set_index(levels).to_parquet(where / f"{dataset}.parquet")
        dictionary(where / "metadata", dataset, {name: (units or {}).get(name, "") for name in columns}, header)

    write("events", {"age_at_research_stage": draw.uniform(40, 70, N), "sex": np.arange(N) % 2})
    body = {"height": (150, 190), "weight": (50, 100), "bmi": (20, 35)}
    body |= {"waist_circumference": (70, 110), "hip_circumference": (85, 120), "neck_circumference": (30, 45)}
    measured = {name: draw.uniform(*span, N) for name, span in body.items()}
    write("anthropometrics", measured, {"height": "cm", "weight": "kg", "bmi": "kg/m2", "neck_circumference": "cm"})
    write("hand_grip", {f"hand_grip_strength_{side}": draw.uniform(15, 50, N) for side in ("left", "right")})
    write("medical_conditions", {name: draw.integers(0, 2, N) for name in CONDITIONS})
    eyes = {f"fundus_image_{side}": [f"/bulk/eyes/{i}_{side}.png" for i in ids] for side in ("left", "right")}
    eyes["fundus_image_left"][1] = None
    write("fundus", eyes)
    (folder / "bulk" / "eyes").mkdir(parents=True)
    for i in ids:
        for side in ("left", "right"):
            pixels = draw.integers(0, 255, (96, 128, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "bulk" / "eyes" / f"{i}_{side}.png")
    nights(folder, ids, cohort, header)


def nights(folder, ids, cohort, header):
    """Sleep: three nights a person; the files of the first of them, of everyone but person 2."""
    rows = pd.DataFrame({"participant_id": np.repeat(ids, 3), "cohort": "10k", "research_stage": STAGES[0]})
    rows["array_index"] = rows["night"] = np.tile([1, 2, 3], len(ids))
    base = np.repeat(rng().uniform(5, 20, len(ids)), 3)
    rows["ahi"], rows["odi"] = base + rows["night"], base / 2
    rows["saturation_mean"], rows["saturation_min_value"] = 96 - base / 10, 88 - base / 5
    first = (rows["night"] == 1) & (rows["participant_id"] != ids[2])
    rows["channels_time_series"] = [
        f"/bulk/nights/{i}.parquet" if f else None for i, f in zip(rows["participant_id"], first, strict=True)
    ]
    where = folder / "sleep" / cohort if cohort else folder / "sleep"
    (where / "metadata").mkdir(parents=True)
    rows.to_parquet(where / "sleep.parquet", index=False)
    names = ["ahi", "odi", "saturation_mean", "saturation_min_value", "channels_time_series", "spo2"]
    dictionary(where / "metadata", "sleep", dict.fromkeys(names, "Percentage"), header)
    (folder / "bulk" / "nights").mkdir()
    for i in ids:
        night(i).to_parquet(folder / "bulk" / "nights" / f"{i}.parquet")


def night(person):
    """Two hours at 1 Hz in Jerusalem, with a gap from minute 10 to minute 20."""
    times = pd.date_range("2021-03-02 23:00", periods=7_200, freq="s", tz="Asia/Jerusalem")
    second = np.arange(7_200)
    frame = pd.DataFrame({"spo2": 95.0 + (second // 60) % 3, "heart_rate": 60.0 + person % 7}, index=times)
    return frame[(second < 600) | (second >= 1_200)].rename_axis("collection_timestamp")


def dictionary(folder, dataset, units, header):
    rows = [
        {
            "tabular_field_name": name,
            "field_string": name.title(),
            "description_string": f"About {name}",
            "units": unit,
        }
        for name, unit in units.items()
    ]
    frame = pd.DataFrame(rows).reindex(columns=header.split(","))
    frame.to_csv(folder / f"{dataset}_data_dictionary.csv", index=False)


def _other(columns):
    return {name: values[:5] for name, values in columns.items()}


# AI-READI

MEASURED = {"bmi_vsorres, BMI": (20, 40), "waist_vsorres, Waist Circumference (cm)": (70, 130)}
MEASURED |= {"bp1_sysbp_vsorres, Systolic (mmHg)": (100, 170)}
MEASURED |= {"import_hba1c, HbA1c (%)": (4, 10), "import_glucose, Glucose (mg/dL)": (70, 200)}
GROUPS = ["healthy", "pre_diabetes_lifestyle_controlled", "insulin_dependent"]


def ai_readi(folder, key="person_id"):
    """Version 3 (person_id) or 2 (participant_id); person 2 wore nothing, person 1 has no left eye."""
    draw, ids = rng(), 1_000 + np.arange(N)
    for name in ("clinical_data", "retinal_photography"):
        (folder / name).mkdir(parents=True)
    people = pd.DataFrame(
        {key: ids, "age": draw.integers(40, 80, N), "study_group": [GROUPS[i % 3] for i in range(N)]}
    )
    people["recommended_split"] = [("train", "val", "test")[i // 8] for i in range(N)]
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    rows = [
        {
            "measurement_id": 1,
            "person_id": i,
            "measurement_concept_id": 0,
            "value_as_number": value,
            "measurement_source_value": name,
        }
        for name, span in MEASURED.items()
        for i, value in zip(ids, draw.uniform(*span, N).round(2), strict=True)
    ]
    rows[0]["value_as_number"] = "None"
    pd.DataFrame(rows).to_csv(folder / "clinical_data" / "measurement.csv", index=False)
    eyes = []
    for i in ids[:6]:
        for side in "LR":
            path = f"/retinal_photography/{i}_{side}.dcm"
            dicom(folder / path[1:], draw.integers(0, 255, (40, 60, 3)).astype(np.uint8))
            if (i, side) != (ids[1], "L"):
                eyes.append({key: i, "laterality": side, "imaging": "Color Photography", "filepath": path})
    pd.DataFrame(eyes).to_csv(folder / "retinal_photography" / "manifest.tsv", sep="\t", index=False)
    for i in np.delete(ids, 2):
        wearables(folder, int(i))


def wearables(folder, person):
    """Samples every five minutes, one off the wrist, one "None"; "Low" and "High" glucose; two stages of sleep."""
    moments = pd.date_range("2023-08-01T22:00:00", periods=24, freq="5min").strftime("%Y-%m-%dT%H:%M:%SZ")
    spo2 = [95 + k % 3 for k in range(24)]
    spo2[3], spo2[4] = -1, "None"
    heart = [60 + person % 7 + k % 2 for k in range(24)]
    cgm = [100 + k for k in range(24)]
    cgm[5], cgm[6] = "Low", "High"
    garmin = folder / "wearable_activity_monitor"
    span = [{"time_interval": {"start_date_time": m, "end_date_time": m}} for m in moments]
    stages = [("awake", moments[0], moments[6]), ("deep", moments[6], moments[20])]
    lists = {
        garmin / "oxygen_saturation" / "garmin_vivosmart5": (
            "oxygensaturation",
            {
                "breathing": [
                    {"oxygen_saturation": {"value": v}, "effective_time_frame": {"date_time": m}}
                    for v, m in zip(spo2, moments, strict=True)
                ]
            },
        ),
        garmin / "heart_rate" / "garmin_vivosmart5": (
            "heartrate",
            {
                "heart_rate": [
                    {"heart_rate": {"value": v}, "effective_time_frame": {"date_time": m}}
                    for v, m in zip(heart, moments, strict=True)
                ]
            },
        ),
        garmin / "sleep" / "garmin_vivosmart5": (
            "sleep",
            {
                "sleep": [
                    {
                        "sleep_stage_state": s,
                        "sleep_stage_time_frame": {"time_interval": {"start_date_time": a, "end_date_time": b}},
                    }
                    for s, a, b in stages
                ]
            },
        ),
        folder / "wearable_blood_glucose" / "continuous_glucose_monitoring" / "dexcom_g6": (
            "DEX",
            {
                "cgm": [
                    {"blood_glucose": {"value": v}, "effective_time_frame": t} for v, t in zip(cgm, span, strict=True)
                ]
            },
        ),
    }
    for where, (ending, body) in lists.items():
        (where / str(person)).mkdir(parents=True)
        text = json.dumps({"header": {}, "body": body})
        (where / str(person) / f"{person}_{ending}.json").write_text(text)


def dicom(path, pixels):
    """A colour picture as an uncompressed DICOM file."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    file.Rows, file.Columns, file.SamplesPerPixel = pixels.shape
    file.PhotometricInterpretation, file.PlanarConfiguration = "RGB", 0
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
    file.PixelData = pixels.tobytes()
    file.save_as(path, enforce_file_format=True)
