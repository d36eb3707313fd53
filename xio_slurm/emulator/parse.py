"""Parse jobs: they make an image from an AMI, and take a while."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from xio_slurm.emulator.answers import Refusal
from xio_slurm.emulator.documents import Shelf
from xio_slurm.emulator.records import ParseJob

IMAGE_EXISTS: Final = 201
STATUS: Final = "Status"


class ParseRequest(BaseModel):
    """The body of a parse."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    ImageId: str = Field(min_length=1)
    ImageName: str = Field(min_length=1)
    Description: str | None = None
    User: str | None = None
    UserData: str | None = None
    UserKeyPem: str | None = None


class ParseJobs:
    """The jobs, and what becomes of them."""

    def __init__(self, clock: Callable[[], float], images: Shelf) -> None:
        self._clock = clock
        self._images = images
        self._jobs: dict[str, ParseJob] = {}

    def start(self, request: ParseRequest, seconds: float, code: int, *, listed: bool = False) -> ParseJob:
        """A new job, done after these seconds; ``code`` other than 0 is the error that it ends with.

        ``listed``: its image is there at once, with a Status.
        """
        image: dict[str, Any] = {"ImageName": request.ImageName, "ImageId": request.ImageId}
        if request.Description is not None:
            image["Description"] = request.Description
        if listed and request.ImageName in self._images.names():
            seconds, code = 0.0, IMAGE_EXISTS
        elif listed:
            image[STATUS] = "Parsing"
            self._images.create(dict(image))
        job = ParseJob(str(uuid.uuid4()), image, self._clock() + seconds, code)
        self._jobs[job.job_id] = job
        return job

    def get(self, job_id: str) -> ParseJob:
        """The job; raises Refusal (404)."""
        self.tick()
        if job_id not in self._jobs:
            raise Refusal(404, f"no parse job {job_id}")
        return self._jobs[job_id]

    def tick(self) -> None:
        """End the jobs that are due, in the order in which they became so: the first of a name makes the image."""
        due = [job for job in self._jobs.values() if not job.ended and job.due <= self._clock()]
        for job in sorted(due, key=lambda job: job.due):
            code = job.code
            begun = self._begun(job)
            if begun is not None:
                self._images.update({**begun, STATUS: "Failed" if code else "Ready"})
            elif not code and job.image["ImageName"] in self._images.names():
                code = IMAGE_EXISTS
            elif not code:
                self._images.create(dict(job.image))
            self._jobs[job.job_id] = replace(job, code=code, ended=True)

    def _begun(self, job: ParseJob) -> dict[str, Any] | None:
        """The image that was there at once for this job."""
        if STATUS not in job.image:
            return None
        return next((image for image in self._images.all() if image["ImageName"] == job.image["ImageName"]), None)
