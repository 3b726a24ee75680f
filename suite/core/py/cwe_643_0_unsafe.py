def phone_number(xml_text, name):
    from xml.etree import ElementTree

    # A quote ends the name, and the search goes on to a guest.
    return ElementTree.fromstring(xml_text).findtext(f"./member[@name='{name}']/phone")
