"""Layers, what an upgrade touches, and sizes of packages over REST. Sizes in bytes; unpacked ones say how sure they are."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.strict import StrictSerializer, read
from services_registry.choices import Basis, Room
from services_registry.layer_filters import STATES, LayerFilter, SizeFilter
from services_registry.layer_matrix import LayerUse, Matrix, matrix, present_functions, upgrade
from services_registry.models import Function, Layer, PackageSize
from services_registry.package_sizes import sizes_of
from services_registry.stated_sizes import forget_size, state_size


class LayerUserSerializer(serializers.Serializer[Any]):
    """A function with the version it uses."""

    function = serializers.IntegerField(source="function.pk")
    function_name = serializers.CharField(source="function.name")
    owner = serializers.CharField(source="function.owner")
    runtime = serializers.CharField(source="function.runtime")
    version = serializers.IntegerField(source="version.version")
    behind = serializers.IntegerField(help_text="in version numbers")
    misfit = serializers.CharField(
        help_text="why the version is not meant for the function; empty: it is, or does not say"
    )


class LayerSerializer(serializers.ModelSerializer[Layer]):
    newest_version = serializers.SerializerMethodField()
    newest_bytes = serializers.SerializerMethodField()
    newest_basis = serializers.SerializerMethodField()
    runtimes = serializers.SerializerMethodField()
    behind = serializers.SerializerMethodField()
    uses = serializers.SerializerMethodField()

    class Meta:
        model = Layer
        fields = [
            "id", "arn", "name", "account", "region", "newest_version", "newest_from", "newest_bytes", "newest_basis",
            "runtimes", "behind", "uses",
        ]  # fmt: skip
        read_only_fields = fields

    def _entry(self, layer: Layer) -> LayerUse | None:
        known: Matrix = self.context["matrix"]
        return known.layer(layer.pk)

    def get_newest_version(self, layer: Layer) -> int | None:
        """The newest that AWS still has; null: none."""
        entry = self._entry(layer)
        return entry.newest.version if entry and entry.newest else None

    def get_newest_bytes(self, layer: Layer) -> int | None:
        """Its size unpacked; null: not known."""
        entry = self._entry(layer)
        return entry.size.bytes if entry and entry.size else None

    def get_newest_basis(self, layer: Layer) -> str:
        """measured, stated, estimated or unknown."""
        entry = self._entry(layer)
        return str(entry.size.basis if entry and entry.size else Basis.UNKNOWN)

    def get_runtimes(self, layer: Layer) -> list[str]:
        """What the newest version says it is for; empty: it does not say."""
        entry = self._entry(layer)
        return entry.runtimes if entry else []

    def get_behind(self, layer: Layer) -> int:
        """How many functions use an older version."""
        entry = self._entry(layer)
        return len(entry.behind) if entry else 0

    @extend_schema(responses=LayerUserSerializer(many=True))
    def get_uses(self, layer: Layer) -> list[dict[str, Any]]:
        entry = self._entry(layer)
        return [dict(one) for one in LayerUserSerializer(entry.uses if entry else [], many=True).data]


class TouchedSerializer(serializers.Serializer[Any]):
    function = serializers.IntegerField(source="use.function.pk")
    function_name = serializers.CharField(source="use.function.name")
    owner = serializers.CharField(source="use.function.owner")
    version = serializers.IntegerField(source="use.version.version", help_text="that it uses now")
    before_bytes = serializers.IntegerField(source="before.total")
    after_bytes = serializers.IntegerField(source="after")
    share = serializers.FloatField(help_text="of the limit, afterwards")
    room = serializers.ChoiceField(choices=Room.choices)
    new_finding = serializers.BooleanField(source="worse")
    basis = serializers.ChoiceField(choices=Basis.choices)
    misfit = serializers.CharField()


class UpgradeSerializer(serializers.Serializer[Any]):
    to = serializers.IntegerField(source="to.version")
    refused = serializers.IntegerField(help_text="how many would be over the limit, by sizes that are known")
    doubtful = serializers.IntegerField(help_text="how many would be over it by an estimate")
    touched = TouchedSerializer(many=True)


_FILTERS = [
    OpenApiParameter("q", str, description="part of the name of the layer or of a function"),
    OpenApiParameter("owner", str, description="a function of this owner uses it"),
    OpenApiParameter("state", str, enum=[name for name, _label in STATES]),
    OpenApiParameter("region", str),
]


class LayerViewSet(viewsets.ReadOnlyModelViewSet[Layer]):
    """Layers with their users, with the filters of the page."""

    queryset = Layer.objects.all()
    serializer_class = LayerSerializer
    ordering = ["name", "id"]
    lookup_value_converter = "int"

    @cached_property
    def matrix(self) -> Matrix:
        return matrix()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "matrix": None if self._describing else self.matrix}

    @property
    def _describing(self) -> bool:
        """Whether the schema is written, without any database."""
        return bool(getattr(self, "swagger_fake_view", False))

    def get_queryset(self) -> QuerySet[Layer]:
        if self._describing:
            return Layer.objects.none()
        if self.action != "list":
            return Layer.objects.all()
        filters = LayerFilter(self.request.query_params)
        found = filters.of(self.matrix.layers)
        if filters.errors:
            raise ValidationError({name: [str(error) for error in errors] for name, errors in filters.errors.items()})
        return Layer.objects.filter(pk__in=[entry.layer.pk for entry in found])

    @extend_schema(parameters=_FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        responses=UpgradeSerializer, parameters=[OpenApiParameter("to", int, description="usual: the newest")]
    )
    @action(detail=True, methods=["get"])
    def upgrade(self, request: Request, pk: Any = None) -> Response:
        """What bringing every user of the layer to one version touches. Nothing is changed."""
        entry = self.matrix.layer(self.get_object().pk)
        asked = request.query_params.get("to", "")
        there = [version for version in entry.versions if version.gone is None] if entry else []
        found = [version for version in there if asked in ("", str(version.version))]
        if entry is None or not found:
            words = "AWS has no such version, as far as the registry knows."
            raise ValidationError({"to": [ErrorDetail(words, "unknown_version")]})
        planned = upgrade(entry, found[0], self.matrix.sizes)
        said = {
            "to": planned.to,
            "refused": len(planned.refused),
            "doubtful": len(planned.doubtful),
            "touched": planned.touched,
        }
        return Response(UpgradeSerializer(said).data)


class FunctionSizeSerializer(serializers.Serializer[Any]):
    """One function deployed as zip: code and layers, unpacked, against the limit of 262,144,000 bytes."""

    function = serializers.IntegerField(source="function.pk")
    function_name = serializers.CharField(source="function.name")
    owner = serializers.CharField(source="function.owner")
    runtime = serializers.CharField(source="function.runtime")
    zipped_bytes = serializers.IntegerField(source="zipped", help_text="code and layers, as AWS states them")
    code_bytes = serializers.IntegerField(source="code.bytes", allow_null=True)
    layers_bytes = serializers.IntegerField(allow_null=True)
    total_bytes = serializers.IntegerField(source="total")
    share = serializers.FloatField(allow_null=True)
    room = serializers.ChoiceField(choices=Room.choices)
    basis = serializers.ChoiceField(choices=Basis.choices, help_text="of the least sure part")


class FunctionSizeViewSet(viewsets.GenericViewSet[Function]):
    """Sizes of all functions, the largest first, in one answer; with the filters of the page."""

    queryset = Function.objects.none()
    serializer_class = FunctionSizeSerializer
    pagination_class = None

    @extend_schema(
        responses=FunctionSizeSerializer(many=True),
        parameters=[
            OpenApiParameter("q", str), OpenApiParameter("owner", str), OpenApiParameter("runtime", str),
            OpenApiParameter("room", str, enum=Room.values), OpenApiParameter("basis", str, enum=Basis.values),
        ],
    )  # fmt: skip
    def list(self, request: Request) -> Response:
        filters = SizeFilter(request.query_params)
        found = filters.of(sizes_of(list(present_functions())))
        if filters.errors:
            raise ValidationError({name: [str(error) for error in errors] for name, errors in filters.errors.items()})
        return Response(FunctionSizeSerializer(sorted(found, key=lambda size: -size.total), many=True).data)


class PackageSizeSerializer(serializers.ModelSerializer[PackageSize]):
    class Meta:
        model = PackageSize
        fields = ["id", "content", "unzipped_bytes", "source", "note", "at"]
        read_only_fields = fields


class StatedSizeSerializer(StrictSerializer):
    content = serializers.CharField(max_length=220, help_text="CodeSha256, or the ARN of a layer version without one")
    unzipped_bytes = serializers.IntegerField(min_value=1)
    note = serializers.CharField(max_length=200, required=False, default="", help_text="how you know")


class PackageSizeViewSet(viewsets.ReadOnlyModelViewSet[PackageSize]):
    """Sizes of unpacked packages that were measured or stated. Administrators state them."""

    queryset = PackageSize.objects.all()
    serializer_class = PackageSizeSerializer
    ordering = ["-at", "-id"]
    lookup_value_converter = "int"
    write_permission = "core.administer"

    @extend_schema(request=StatedSizeSerializer, responses=PackageSizeSerializer)
    def create(self, request: Request) -> Response:
        """State the size of a package; it holds for exactly this content."""
        row = state_size(**read(StatedSizeSerializer, request), actor=request.user, source="api")
        return Response(PackageSizeSerializer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any = None) -> Response:
        """Take a statement or measurement back."""
        forget_size(self.get_object(), actor=request.user, source="api")
        return Response(status=204)
