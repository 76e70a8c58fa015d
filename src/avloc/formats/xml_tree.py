"""XML of other programs > a tree. No entity expands and nothing is fetched."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from avloc.errors import FormatError
from avloc.formats.text import PathLike


def xml_tree(content: bytes, path: PathLike, kind: str, *, has_doctype: bool = False) -> Element:
    """The root of a file of this `kind`; has_doctype: such files declare a document type, but no entities.

    Raises:
        FormatError: it is no XML, or declares what no file of the kind needs.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True

    def refuse_entity(*_: object) -> None:
        raise FormatError(f"{path}: declares an entity, which no {kind} needs; take the declaration out")

    def refuse_doctype(*_: object) -> None:
        raise FormatError(
            f"{path}: declares a document type, which no {kind} needs; take the line <!DOCTYPE ...> out"
        )

    parser.EntityDeclHandler = refuse_entity
    if not has_doctype:
        parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise FormatError(f"{path} is not XML ({error})") from None
    return builder.close()
