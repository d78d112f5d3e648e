"""Word lists for people and companies, to be split. All fictitious; any likeness is chance."""

FIRST_NAMES = """
    Aaliyah Adaeze Agnieszka Aino Aisha Amélie Ana Anaïs Anders Ángel Anja Anton Ayşe Bartłomiej
    Beatriz Bjørn Bruno Camille Carla Carmen Chiara Chidi Claire Dag Daniela David Diego Đorđe
    Dragan Dylan Edurne Elena Elif Elīna Emeka Emma Enzo Ewa Fabian Farid Fatima Femi Fernanda
    Finn Florian Françoise Freya Gaëlle Georgi Giulia Gökhan Grace Guðrún Hanna Håkon Hélène Henrik
    Hiro Hugo Ibrahim Ilse Inês Ines Ingrid Isabella Iván Jakub Jana Javier Jelena Jérôme Joana
    João Jonas José Julia Jürgen Kaja Karim Katarzyna Keisha Kenji Khadija Kwame Lara Lars Laszlo
    Leïla Léo Liam Lina Linh Lourdes Łukasz Luca Lucía Maëlle Magdalena Malik Marek María Mariana
    Marta Mateo Matthias Maxime Mehmet Mei Michał Mira Miriam Nadia Naoko Nathan Nia Niamh Nicolás
    Nils Noor Núria Óscar Ola Oliver Olivia Omar Paola Patrick Paulina Pedro Petra Pia Priya
    Rafael Rania Raúl Rebecca René Ricardo Robin Rosa Ruth Sabine Samira Sanne Santiago Sara
    Šárka Sebastián Selin Siobhán Sofía Søren Stefan Stéphane Sunita Tariq Teresa Théo Thomas Tiago
    Tomáš Tove Umar Valentina Vera Víctor Wanjiru Wiktor Yara Yasmin Yuki Yusuf Zainab Žofie
    Zoë
"""

LAST_NAMES = """
    Abreu Adeyemi Aguirre Åkesson Al-Sayed Andersen Antoniou Araújo Ávila Bakker Barbosa Baumann
    Beaumont Becker Benítez Berg Bianchi Björk Blanchard Bose Braun Brown Çelik Cardoso Castaño
    Chen Cissé Colombo Conti Cortés Costa Çetin Dąbrowski Delgado Demir Diallo Dias Dubois Duarte
    Echeverría Eriksson Esposito Etxeberria Farkas Ferreira Fischer Flores Fontaine Fournier Fraser
    Fuchs García Gauthier Georgiou Girard Gómez González Grant Greco Grünwald Gupta Haddad
    Hansen Hartmann Hernández Hoffmann Horvat Horváth Huang Ibáñez Ionescu Ivanova Jankowski Jansen
    Jensen Jiménez Jørgensen Kaya Keller Khan Kim Klein Kovač Kowalski Krüger Lambert Larsen
    Laurent Leclerc Lefèvre Leroy Lewandowska Lindqvist Lombardi López Lund MacLeod Magnússon Maier
    Mancini Marchetti Marín Martínez Mazur Meier Mendes Mensah Mercier Moreau Moreno Müller Muñoz
    Murphy Mwangi Nakamura Nguyễn Nielsen Novák Novotná Nowak Núñez Nunes O'Brien O'Connor Okafor
    Okoye Oliveira Olsen Öztürk Papadakis Patel Peña Pérez Petersen Petit Petrova Pham Popescu
    Prado Quiroga Ramírez Reyes Ribeiro Ricci Rinaldi Rivera Romano Rossi Roux Ruiz Şahin Sanchez
    Santos Schäfer Schneider Schröder Schulz Silva Şimşek Smith Soares Sørensen Souza Suárez
    Svensson Szabó Takahashi Tanaka Tavares Thompson Tóth Tremblay Uribe Urrutia Van-Dijk Vargas
    Vasquez Vega Vidal Virtanen Vogel Wagner Walsh Weber Weiß Williams Wilson Wójcik Wouters
    Yamamoto Yıldız Zając Zhang Ziegler Zimmermann
"""

COMPANY_STEMS = """
    Aero Alba Alpha Aqua Arden Argent Aster Atlas Aurum Axion Balder Basalt Beta Borea Calder
    Carbo Castel Cello Cobalt Corda Delta Dyna Electro Ember Ferro Fjord Flux Fonte Gamma Glas
    Hansa Helio Helvi Hydro Iber Indi Kappa Kera Krono Lumen Luxa Magna Mare Mecha Meri Meteor
    Mono Nauti Neo Nova Okto Omni Opti Orbi Penta Petro Pharma Plasma Polar Prisma Quanta Radia
    Rhena Rota Saxo Sigma Silva Sonar Spectra Stella Terra Tessa Therma Tri Ultra Unda Vecto Vela
    Vento Vira Volta Xeno Zenit Zephyr
"""

COMPANY_ENDS = """
    bau chem dyne form gen graph lab line log mat mek met nautics pack pharm phon plan scan
    sens stahl tec ton tronic vent werk
"""

LEGAL_FORMS = {
    "Germany": ("GmbH", "& Söhne KG"),
    "Netherlands": ("B.V.", "N.V."),
    "Spain": ("S.A.", "S.L."),
    "Italy": ("S.p.A.", "S.r.l."),
    "France": ("S.A.S.", "& Cie"),
    "United Kingdom": ("Ltd", "& Sons"),
    "United States": ("Inc.", "LLC"),
}

INDUSTRIES = (
    "Automotive",
    "Chemicals",
    "Energy",
    "Food & Beverage",
    "Life Sciences",
    "Machinery",
    "Semiconductors",
    "Water & Waste",
)
