"""Layers with their versions, and how large packages are once unpacked."""

from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from services_registry.choices import NewestFrom, SizeSource


class Layer(models.Model):
    """One layer that the account has, or that one of its functions uses. Which functions, `Function.layers` says."""

    arn = models.CharField(max_length=200, unique=True, help_text=_("without a version"))
    account = models.CharField(max_length=12, help_text=_("whose layer it is"))
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=140)
    newest_from = models.CharField(
        max_length=10, choices=NewestFrom, default=NewestFrom.SEEN, help_text=_("how its newest version is known")
    )

    class Meta:
        ordering = ["name", "arn"]

    def __str__(self) -> str:
        return self.name


class LayerVersion(models.Model):
    """One version of a layer. AWS never changes a version, it only deletes it; functions then run on with it."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    arn = models.CharField(max_length=220, unique=True)
    description = models.CharField(max_length=256, blank=True)
    created = models.DateTimeField(null=True, blank=True, help_text=_("as AWS states it"))
    code_bytes = models.BigIntegerField(null=True, blank=True, help_text=_("zipped, as AWS states it; empty: not told"))
    code_sha256 = models.CharField(max_length=64, blank=True)
    runtimes = models.JSONField(default=list, blank=True, help_text=_("what it says it is for; empty: it does not say"))
    architectures = models.JSONField(default=list, blank=True)
    gone = models.DateTimeField(null=True, blank=True, help_text=_("when AWS no longer had it"))
    problem = models.CharField(max_length=300, blank=True, help_text=_("why AWS did not tell its size"))

    class Meta:
        ordering = ["layer", "-version"]
        constraints = [models.UniqueConstraint(fields=["layer", "version"], name="layer_version_once")]

    def __str__(self) -> str:
        return f"{self.layer.name}:{self.version}"

    @property
    def content(self) -> str:
        """Under which name `PackageSize` knows what is in it."""
        return self.code_sha256 or self.arn


class PackageSize(models.Model):
    """How large one package is unpacked, which AWS does not tell. It stays true: other content has another name."""

    content = models.CharField(
        max_length=220, unique=True,
        help_text=_("CodeSha256 of a function's or layer's package; the ARN of a layer version whose digest is not known"),
    )  # fmt: skip
    unzipped_bytes = models.BigIntegerField(validators=[MinValueValidator(1)])
    source = models.CharField(max_length=10, choices=SizeSource, default=SizeSource.STATED, editable=False)
    note = models.CharField(max_length=200, blank=True, help_text=_("how you know"))
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return self.content
