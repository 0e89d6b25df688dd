/// Which sprites show which category; the text that `Catalogue` reads.
///
/// `# supercategory / kind / size` opens a section. A line is `name = sprites`; a line without `=` continues the one
/// before. A `*` after the name keeps the category out of training, `(…)` gives a plural that is not regular, `:S`,
/// `:M` or `:L` another size than the section's. A sprite is a file below the stamps' folder or a code point of the emoji
/// font.
///
/// Mirror images of a stamp are left out, since scenes mirror sprites themselves; so are letters, digits, coins, signs of
/// music, pictures of whole places, and tiny stamps. Held-out names are of two sorts: words that training never reads
/// ("koala"), and pairs of which training reads the parts ("police car", "circus tent").
enum CatalogueTable {
    static let text = """
        # animal / bird / M
        bird = animals/birds/blackbird.png animals/birds/crow.png animals/birds/cuckoo.png animals/birds/lark.png
            animals/birds/magpie.png animals/birds/quetzal.png animals/birds/swallow.svg
            seasonal/easter/bluebird.png U+1F426
        parrot = animals/birds/adelaide-rosella.png animals/birds/rainbow-lorikeet.png U+1F99C
        peacock* = animals/birds/peacock.png U+1F99A
        penguin = animals/birds/cartoon/pengwin.png animals/birds/cartoon/tux.png animals/birds/little-penguin.png
            animals/birds/magellanic_penguin.png animals/birds/penguin.png U+1F427
        chicken = animals/birds/chicken_profile.png animals/birds/hen.png U+1F414
        rooster = animals/birds/rooster.png U+1F413
        chick:S = seasonal/easter/chick-hatched.png seasonal/easter/chick.png U+1F424 U+1F425
        heron = animals/birds/heron_greatblue.png animals/birds/heron_greatblue_flying.png
        crane = animals/birds/crowned_crane.png
        duck = animals/birds/drake.png animals/birds/duck.png U+1F986
        goose(geese) = animals/birds/gander.png U+1FABF
        guinea fowl(guinea fowl) = animals/birds/guineafowl.png animals/birds/helmeted_guineafowl.png
        ostrich(ostriches):L = animals/birds/nandou.png animals/birds/ostrich.png
        owl = animals/birds/owl.png U+1F989
        pelican = animals/birds/pelican.png
        pigeon = animals/birds/pigeon.png U+1F54A
        flamingo = animals/birds/pink_flamingo.png U+1F9A9
        seagull = animals/birds/seagull.png animals/birds/silver-gull.png
        toucan* = animals/birds/tucan.png
        turkey = animals/birds/turkey.png U+1F983
        vulture = animals/birds/vulture.png
        eagle = U+1F985
        swan* = U+1F9A2
        # animal / mammal / M
        monkey = animals/mammals/apes/tamarin_emperor.png U+1F412 U+1F435 U+1F648 U+1F649 U+1F64A
        chimpanzee = animals/mammals/apes/chimp.png
        gorilla:L = animals/mammals/apes/gorilla.png U+1F98D
        orangutan = U+1F9A7
        dolphin* = animals/mammals/aquatic/dolphin.png U+1F42C
        whale:L = animals/mammals/aquatic/orca.png animals/mammals/aquatic/whale.png U+1F40B U+1F433
        otter* = animals/mammals/aquatic/otter.png U+1F9A6
        sea lion* = animals/mammals/aquatic/sea_lion.png
        seal = U+1F9AD
        badger = animals/mammals/badger.png U+1F9A1
        bear:L = animals/mammals/bears/bear.png animals/mammals/bears/european-bear.png U+1F43B
        panda = U+1F43C
        bison*(bison):L = animals/mammals/bovines/bison.png U+1F9AC
        bull:L = animals/mammals/bovines/bull.png U+1F402
        cow:L = animals/mammals/bovines/cow.png animals/mammals/bovines/cow_white.png
            animals/mammals/bovines/zebu.png U+1F404 U+1F42E
        buffalo(buffaloes):L = U+1F403
        wildebeest:L = animals/mammals/bovines/gnu-baby-stand.png animals/mammals/bovines/gnu-baby.png
            animals/mammals/bovines/gnu-sitting.png animals/mammals/bovines/gnu-stand.png
        goat = animals/mammals/bovines/goat.png animals/mammals/bovines/mountaingoat.png U+1F410
        antelope = animals/mammals/bovines/indian_blackbuck.png
        sheep(sheep) = animals/mammals/bovines/ram.png animals/mammals/bovines/sheep.png
            animals/mammals/bovines/sheep_lamb.png U+1F40F U+1F411
        yak:L = animals/mammals/bovines/yak.png
        camel:L = animals/mammals/camel/camel.png animals/mammals/camel/dromedary.png U+1F42A U+1F42B
        cat = animals/mammals/cats/kitten.svg seasonal/halloween/blackcat.png U+1F408 U+1F431
        lion:L = animals/mammals/cats/cartoon/lion.png animals/mammals/cats/lion-2.png animals/mammals/cats/lion.png
            U+1F981
        tiger:L = animals/mammals/cats/tiger.png animals/mammals/cats/tiger_sumatran.png U+1F405 U+1F42F
        cheetah = animals/mammals/cats/cheetah.svg
        leopard = U+1F406
        deer(deer):L = animals/mammals/deer/deer.png animals/mammals/deer/doe.png animals/mammals/deer/wapiti.png
            U+1F98C
        reindeer(reindeer):L = animals/mammals/deer/caribou.png seasonal/christmas/rudolf_reindeer.svg
        dog = animals/mammals/dogs/dingo.png animals/mammals/dogs/dog.png U+1F415 U+1F429 U+1F436 U+1F9AE
        wolf(wolves) = U+1F43A
        fox(foxes) = animals/mammals/dogs/fox.png U+1F98A
        raccoon = U+1F99D
        skunk = U+1F9A8
        sloth* = U+1F9A5
        elephant:L = animals/mammals/elephant.png U+1F418
        mammoth:L = U+1F9A3
        donkey:L = animals/mammals/equines/donkey.png animals/mammals/equines/donkey_eating.png U+1FACF
        horse:L = animals/mammals/equines/horse.png U+1F40E U+1F434
        zebra:L = animals/mammals/equines/zebra.png animals/mammals/equines/zebra2.svg U+1F993
        unicorn = U+1F984
        giraffe:L = animals/mammals/giraffe.png U+1F992
        hippopotamus(hippopotamuses):L = animals/mammals/hippopotamus.png U+1F99B
        rhinoceros(rhinoceroses):L = animals/mammals/rhino_black.png U+1F98F
        pig = animals/mammals/pig.png animals/mammals/pig_golden.png animals/mammals/pig_golden2.png U+1F416 U+1F437
        wild boar = U+1F417
        ferret = animals/mammals/ferret.png
        hedgehog*:S = animals/mammals/hedgehog.png U+1F994
        beaver = animals/mammals/rodents/beaver.png U+1F9AB
        capybara = animals/mammals/rodents/capybara.png
        marmot = animals/mammals/rodents/marmot.png
        mouse(mice):S = animals/mammals/rodents/mouse.png U+1F401 U+1F42D
        rat:S = animals/mammals/rodents/rat.png U+1F400
        hamster:S = U+1F439
        rabbit = animals/mammals/rabbit_little.png animals/mammals/rodents/rabbit-2.png
            animals/mammals/rodents/rabbit.png seasonal/easter/bunny-head.png seasonal/easter/bunny-egg.png U+1F407
            U+1F430
        squirrel*:S = animals/mammals/rodents/squirrel.png U+1F43F
        kangaroo = animals/marsupials/kangaroo.png animals/marsupials/cartoon/kangaroo-silo.png U+1F998
        koala* = animals/marsupials/koala.png U+1F428
        wombat = animals/marsupials/wombat.png
        llama = U+1F999
        bat:S = U+1F987
        # animal / reptile / M
        frog:S = animals/amphibians/frog-1.png animals/amphibians/frog.png U+1F438
        lizard = animals/lizards/iguana.png U+1F98E
        crocodile:L = U+1F40A
        turtle* = U+1F422
        snake = U+1F40D
        dinosaur:L = animals/dinosaur/cartoon/dinosaurSings.png U+1F995 U+1F996
        dragon:L = U+1F409 U+1F432
        # animal / fish / M
        fish(fish) = animals/fish/bluegroper.png animals/fish/butterflyfish.png animals/fish/clownfish.png
            animals/fish/coraltrout.png animals/fish/dolphinfish.png animals/fish/moonwrasse.png
            animals/fish/stripedfish.png U+1F41F U+1F420
        lionfish(lionfish) = animals/fish/lionfish.png
        pufferfish(pufferfish) = U+1F421
        shark = U+1F988
        seahorse:S = animals/fish/seahorse.png
        jellyfish(jellyfish) = U+1FABC
        # animal / sea creature / S
        octopus(octopuses):M = U+1F419
        squid(squid):M = U+1F991
        crab = U+1F980
        lobster = animals/fish/lobster.png U+1F99E
        shrimp = animals/fish/shrimp.png U+1F990
        seashell = animals/shellfish/abalone.png animals/shellfish/murray-mussel.png U+1F41A U+1F9AA
        # animal / insect / S
        bee = animals/insects/bee.png animals/insects/hoverfly.png U+1F41D
        wasp = animals/insects/hornet.png
        ant = animals/insects/cartoon/ant.svg U+1F41C
        butterfly = animals/insects/cartoon/butterfly.png animals/insects/cartoon/monarchbutterfly.svg
            seasonal/easter/butterfly.png U+1F98B
        dragonfly = animals/insects/cartoon/dragonfly.png
        fly = animals/insects/cartoon/fly.png animals/insects/fly.png U+1FAB0
        ladybug* = animals/insects/cartoon/ladybug-2.png animals/insects/cartoon/ladybug.png U+1F41E
        grasshopper = animals/insects/grasshopper.png U+1F997
        mantis(mantises) = animals/insects/mantis.png
        moth = animals/insects/xanthia.png
        mosquito(mosquitoes) = U+1F99F
        beetle = U+1FAB2
        caterpillar = U+1F41B
        cockroach = U+1FAB3
        woodlouse(woodlice) = animals/insects/Woodlouse.png
        # animal / small animal / S
        spider = animals/insects/cartoon/spider.svg animals/insects/cartoon/spider2.svg U+1F577
        scorpion* = U+1F982
        snail = animals/insects/cartoon/snail.png animals/insects/cartoon/snail2.png U+1F40C
        slug = animals/insects/Brown_slug.png
        worm = U+1FAB1
        # food / fruit / S
        apple = food/fruit/apple_red.png food/fruit/apple_green.png food/fruit/cartoon/apple.png U+1F34E U+1F34F
        apricot = food/fruit/Apricot_whole.png food/fruit/apricot.png
        avocado = food/fruit/avocado.png U+1F951
        banana = food/fruit/cartoon/banana.png U+1F34C
        blueberries(bunches of blueberries) = food/fruit/cartoon/blueberry.png U+1FAD0
        cherries(bunches of cherries) = food/fruit/Cherry_Stella.png food/fruit/cartoon/cherries.png
            food/fruit/cartoon/cherries2.svg U+1F352
        grapes(bunches of grapes) = food/fruit/cartoon/grapes.png food/fruit/grapes.png U+1F347
        lemon* = food/fruit/cartoon/lemon.png food/fruit/lemon.png U+1F34B
        lemon slice* = food/fruit/cartoon/lemon_slice.png
        orange = food/fruit/cartoon/orange.png food/fruit/mandarine.png food/fruit/orange.png
            food/fruit/orange_seville.png U+1F34A
        peach = food/fruit/cartoon/peach.png U+1F351
        pear = food/fruit/cartoon/pear.png food/fruit/pear.png U+1F350
        pineapple = food/fruit/cartoon/pineapple.png food/fruit/pineapple.png U+1F34D
        plum = food/fruit/cartoon/prune.png
        raspberry*(raspberries) = food/fruit/cartoon/raspberry.png food/fruit/raspberry.png
        strawberry(strawberries) = food/fruit/Strawberry2.png food/fruit/cartoon/strawberry.png U+1F353
        watermelon = food/fruit/cartoon/watermelon.svg U+1F349
        melon = U+1F348
        kiwi* = food/fruit/kiwi.png U+1F95D
        mango(mangoes) = food/fruit/mango.png U+1F96D
        pomegranate = food/fruit/pomegranate.png
        coconut = U+1F965
        cherimoya = food/fruit/cherimoya.png
        # food / nut / S
        almond = food/nuts/almond.png
        walnut = food/nuts/walnut.png
        pecan* = food/nuts/pecan.png
        chestnut = U+1F330
        peanut = U+1F95C
        # food / vegetable / S
        broccoli(broccoli) = food/vegetables/broccoli.png U+1F966
        carrot = food/vegetables/carrot.png U+1F955
        chili pepper = food/vegetables/chilepepper.png U+1F336
        bell pepper* = food/vegetables/pepper.png food/vegetables/yellowpepper.png U+1FAD1
        corn(ears of corn) = food/vegetables/corn.png U+1F33D
        eggplant = food/vegetables/eggplant.png U+1F346
        garlic(garlic bulbs) = food/vegetables/garlic.png U+1F9C4
        ginger(ginger roots) = food/spices/ginger.png U+1FADA
        lettuce = food/vegetables/lettuce.png food/vegetables/redlettuce.png U+1F96C
        mushroom = food/vegetables/mushroom.png plants/mushrooms/cep-1.png plants/mushrooms/cep.png U+1F344
        toadstool = plants/toadstool.svg
        onion = food/vegetables/onion.png U+1F9C5
        potato(potatoes) = food/vegetables/potato.png U+1F954
        sweet potato*(sweet potatoes) = food/vegetables/yam.png U+1F360
        pumpkin = food/vegetables/pumpkin_small.png
        tomato(tomatoes) = food/vegetables/tomato.png U+1F345
        cucumber = U+1F952
        pea pod = U+1FADB
        olive = U+1FAD2
        # food / baked good / M
        bread(loaves of bread) = food/bread.svg food/loaf_of_bread.svg U+1F35E
        baguette = U+1F956
        croissant = U+1F950
        bagel = U+1F96F
        pretzel = U+1F968
        pie = seasonal/christmas/Mince_Pie.png U+1F967
        cake = food/dessert/cartoon/birthday_cake.png food/dessert/cartoon/pink_cake.png U+1F370 U+1F382
        cupcake = food/dessert/smallcake.svg U+1F9C1
        cookie:S = U+1F36A U+1F960
        donut = U+1F369
        pancakes(stacks of pancakes) = U+1F95E
        waffle* = U+1F9C7
        pudding = seasonal/christmas/Christmas_pudding.png U+1F36E
        # food / meal / M
        cheese(pieces of cheese) = food/cheese.svg U+1F9C0
        pizza(slices of pizza) = food/pizza.png U+1F355
        hamburger = U+1F354
        hot dog* = U+1F32D
        sandwich(sandwiches) = U+1F96A
        taco = U+1F32E
        burrito = U+1F32F
        french fries(portions of french fries) = U+1F35F
        salad = U+1F957
        spaghetti(plates of spaghetti) = U+1F35D
        sushi(pieces of sushi) = U+1F363
        roast turkey = seasonal/christmas/Roast_turkey.png
        chicken leg = U+1F357
        steak = U+1F969
        bacon(strips of bacon) = U+1F953
        egg:S = U+1F95A
        fried egg = U+1F373
        popcorn(boxes of popcorn) = U+1F37F
        butter(sticks of butter) = U+1F9C8
        honey pot = U+1F36F
        # food / sweet / S
        candy(candies) = U+1F36C
        candy cane = seasonal/christmas/Candy_cane_photo_1.png seasonal/christmas/Candy_cane_photo_2.png
            seasonal/christmas/candy_cane.png
        lollipop = U+1F36D
        chocolate bar = U+1F36B
        ice cream*(ice creams) = U+1F366 U+1F368 U+1F367
        # household / drink / S
        coffee cup = household/dishes/coffeecup.svg household/dishes/expresso.svg U+2615
        mug = household/dishes/mug.png
        wine glass*(wine glasses) = U+1F377
        cocktail glass(cocktail glasses) = U+1F378 U+1F379
        beer mug = U+1F37A
        glass = U+1F95B U+1F943
        bottle = household/dishes/bottle.svg U+1F37E U+1F376
        baby bottle = U+1F37C
        juice box(juice boxes) = U+1F9C3
        paper cup = U+1F964 U+1F9CB
        # household / kitchenware / S
        fork = household/dishes/fork.svg household/dishes/cartoon/fork.svg
        knife(knives) = household/dishes/knife.svg U+1F52A
        spoon = household/dishes/spoon.svg household/dishes/cartoon/spoon.svg U+1F944
        pot:M = household/dishes/cartoon/pasta_pot.png household/dishes/cartoon/pressure_cooker.png
        frying pan:M = U+1F958
        teapot:M = household/dishes/teapot.png U+1FAD6
        kettle:M = household/kettle.png
        pitcher:M = household/dishes/pitcher_small.png
        pepper grinder = household/dishes/utensils/pepper_grinder.png
        salt shaker = U+1F9C2
        jar = U+1FAD9
        bowl:M = U+1F963
        chopsticks(pairs of chopsticks) = U+1F962
        nutcracker = household/dishes/utensils/nutcracker.png
        # household / appliance / M
        washing machine:L = household/Washing-machine.svg
        iron = household/clothes_iron.svg
        refrigerator:L = household/fridge.svg
        microwave = household/microwave.svg
        vacuum cleaner:L = household/vacuum_cleaner.svg
        light bulb:S = household/Lightbulb.png U+1F4A1
        flashlight:S = U+1F526
        toilet:L = household/toilet.png U+1F6BD
        bathtub:L = U+1F6C1
        # household / electronics / M
        camera = hobbies/camera_35mm.png household/electronics/DSLR_Camera.svg household/electronics/camera.svg
            household/electronics/digitalcamera.svg U+1F4F7 U+1F4F8
        video camera* = U+1F4F9 U+1F3A5
        calculator = household/electronics/calculator.svg
        compact disc:S = household/electronics/compact_disc.svg U+1F4BF U+1F4C0
        laptop = household/electronics/laptop.svg U+1F4BB
        printer = household/electronics/inkjet_printer.svg household/electronics/laser_printer.svg U+1F5A8
        cell phone:S = household/electronics/mobile.svg U+1F4F1
        telephone = household/electronics/phone.svg U+260E
        monitor = household/electronics/monitor.svg U+1F5A5
        computer mouse(computer mice):S = household/electronics/mouse.svg
        keyboard = U+2328
        television = U+1F4FA
        radio = U+1F4FB
        battery(batteries):S = U+1F50B
        electric plug:S = U+1F50C
        headphones(pairs of headphones) = U+1F3A7
        microphone = U+1F3A4 U+1F399
        joystick = U+1F579 U+1F3AE
        # household / container / M
        trash can = household/garbagecan.png household/trash_can.svg U+1F5D1 household/wheelie_bin.png
        recycling bin = household/recyclingbox.svg household/recyclingbox2.svg
        gas cylinder = household/cylinder.png
        toolbox(toolboxes) = household/tools/toolbox.png U+1F9F0
        present = seasonal/christmas/present.svg U+1F381
        box(boxes) = U+1F4E6
        basket = U+1F9FA
        bucket = U+1FAA3
        suitcase = U+1F9F3
        briefcase* = U+1F4BC
        backpack = U+1F392
        shopping bag = U+1F6CD
        vase = U+1F3FA
        oil drum = U+1F6E2
        shopping cart:L = U+1F6D2
        # household / furniture / L
        chair = U+1FA91
        couch(couches) = U+1F6CB
        bed = U+1F6CF
        door = U+1F6AA
        window = U+1FA9F
        mirror:M = U+1FA9E
        ladder = U+1FA9C
        picture frame:M = U+1F5BC
        # household / household item / S
        globe:M = household/globe.svg U+1F30D U+1F30E U+1F30F
        key = household/key.png U+1F511 U+1F5DD
        padlock = household/padlock_closed.svg household/padlock_open.svg U+1F512 U+1F513
        candle = seasonal/candle.png household/tealight.svg U+1F56F
        umbrella:M = household/umbrella.svg U+2602 U+2614 U+1F302
        clock:M = symbols/clock.svg symbols/clockface.png U+1F570
        alarm clock = U+23F0
        stopwatch(stopwatches) = sports/stopwatch.svg U+23F1
        watch(watches) = U+231A
        hourglass(hourglasses) = U+231B U+23F3
        bell = U+1F514
        toothbrush(toothbrushes) = U+1FAA5
        soap(bars of soap) = U+1F9FC
        sponge = U+1F9FD
        broom:M = U+1F9F9
        plunger = U+1FAA0
        razor = U+1FA92
        toilet paper(rolls of toilet paper) = U+1F9FB
        magnifying glass(magnifying glasses) = U+1F50D U+1F50E
        teddy bear:M = animals/mammals/bears/cartoon/teddy_bear.png animals/mammals/bears/toys/edward_bear.png
            U+1F9F8
        rubber duck = household/rubberduck.png
        doll:M = people/toys/grannysmith.png U+1FA86
        crystal ball = U+1F52E
        lantern = U+1F3EE
        potted plant:M = U+1FAB4
        fire extinguisher:M = U+1F9EF
        thread(spools of thread) = U+1F9F5
        yarn(balls of yarn) = hobbies/knitting.svg U+1F9F6
        balloon:M = seasonal/balloon.svg U+1F388
        magnet = U+1F9F2
        wheelchair:L = U+1F9BD U+1F9BC
        # household / stationery / S
        pencil = household/arttools/Pencil.svg household/arttools/pencil2.svg U+270F
        pen = household/arttools/biro.svg U+1F58A U+1F58B
        crayon = U+1F58D
        marker = household/arttools/pen_dryerase.png household/arttools/highlighter.png
        paint tube = household/arttools/painttube.svg
        paintbrush(paintbrushes) = household/tools/paintbrush_large.png U+1F58C
        scissors(pairs of scissors) = household/arttools/scissors_small_open.png U+2702
        book:M = U+1F4D5 U+1F4D7 U+1F4D8 U+1F4D9
        open book:M = U+1F4D6
        notebook:M = U+1F4D3 U+1F4D4 U+1F4D2
        newspaper:M = U+1F4F0 U+1F5DE
        envelope = U+2709
        clipboard:M = U+1F4CB
        pushpin = U+1F4CC U+1F4CD
        paper clip = U+1F4CE
        ruler = U+1F4CF U+1F4D0
        scroll = U+1F4DC
        calendar* = U+1F4C5 U+1F4C6
        money bag = U+1F4B0
        coin = U+1FA99
        credit card = U+1F4B3
        palette:M = U+1F3A8
        # tool / tool / M
        hammer = household/tools/hammer.png household/tools/hammer2.svg U+1F528
        mallet = household/tools/mallet_metal.png
        measuring tape = household/tools/measuring_tape.png
        pliers(pairs of pliers) = household/tools/plyers.png
        saw* = household/tools/saw.png U+1FA9A
        screwdriver = household/tools/screwdriver.svg U+1FA9B
        shovel* = household/tools/spade.png
        rake = seasonal/leafrake.svg
        wrench(wrenches) = household/tools/wrench.png household/tools/wrench_adjustable.png
            household/tools/wrench_plumbers.png U+1F527
        axe = U+1FA93
        pickaxe = U+26CF
        anchor = U+2693
        chain = U+26D3
        bolt:S = U+1F529
        gear:S = U+2699
        sword = military/longsword.svg
        dagger = U+1F5E1
        shield = U+1F6E1
        bullet:S = military/ammunition/bullet.svg military/ammunition/old_naval_shell.png
        bomb = U+1F4A3
        # tool / medical / S
        bandage = medical/bandage_adhesive.png U+1FA79
        thermometer = medical/digitalthermometer.svg medical/mercurythermometer.png U+1F321
        stethoscope:M = medical/stethoscope.png U+1FA7A
        syringe = medical/syringe.png U+1F489
        pill = U+1F48A
        tooth(teeth) = medical/tooth.png U+1F9B7
        bone = U+1F9B4
        microscope:M = U+1F52C
        telescope:M = U+1F52D
        test tube = U+1F9EA
        compass(compasses) = U+1F9ED
        scale:M = U+2696
        # clothing / hat / S
        hat = clothes/hats/blue_fedora.png clothes/hats/brownhat.svg clothes/hats/brownhat2.svg
            clothes/hats/feathered_hat.png clothes/hats/green_fedora.png clothes/hats/greenhat.svg
            clothes/hats/purplehat.svg clothes/hats/sombrero.png clothes/hats/tophat.png U+1F3A9 U+1F452
        cowboy hat* = clothes/hats/cowboy_hat.svg
        wizard hat = clothes/hats/wizardhat.svg
        santa hat = seasonal/christmas/santahat2.svg
        elf hat = seasonal/christmas/elfhat.svg clothes/hats/elfhat.svg
        crown = clothes/hats/crown1.svg clothes/hats/crown2.svg U+1F451
        hard hat = clothes/hats/hardhat.svg
        graduation cap = clothes/hats/mortarboard.svg U+1F393
        baseball cap = clothes/t_baseballcap.png U+1F9E2
        knight helmet = clothes/armor/cartoon/knight_helmet.png
        military helmet = U+1FA96
        football helmet = sports/cartoon/football_helmet_front.png sports/cartoon/football_helmet_side.png
        propeller hat = clothes/hats/propeller_hat.png
        # clothing / clothing / M
        jeans(pairs of jeans) = clothes/bluejeans1.svg clothes/bluejeans2.svg U+1F456
        pants(pairs of pants) = clothes/bellbottoms.svg clothes/t_pants.png clothes/white_pants.svg
        shorts(pairs of shorts) = U+1FA73
        bikini = clothes/bikini.svg U+1F459
        swimsuit = U+1FA71
        dress(dresses) = clothes/black_dress.svg U+1F457
        kimono = U+1F458
        bow tie:S = clothes/bowtie.svg
        necktie:S = U+1F454
        jacket = clothes/jacket.svg clothes/t_jacket.png
        coat = U+1F9E5 U+1F97C
        t-shirt = clothes/t-shirt_01.svg clothes/t_tshirt.png U+1F455
        shirt = clothes/t_shirt.png clothes/t_poloshirt.png
        scarf(scarves) = clothes/t_scarf.png U+1F9E3
        glove:S = clothes/t_glove.png
        gloves(pairs of gloves):S = U+1F9E4
        sock:S = clothes/t_sock.png
        socks(pairs of socks):S = U+1F9E6
        christmas stocking:S = seasonal/christmas/stocking.png
        safety vest = U+1F9BA
        button:S = clothes/button.png
        clothes hanger = clothes/clotheshanger.svg
        clothespin:S = clothes/clothespin_new.png
        # clothing / accessory / S
        glasses(pairs of glasses) = clothes/glasses1.svg clothes/glasses2.svg U+1F453
        sunglasses(pairs of sunglasses) = clothes/sunglasses_01.svg clothes/sunglasses_02.svg U+1F576
        goggles(pairs of goggles) = U+1F97D
        handbag = clothes/red_handbag.svg U+1F45C
        purse = U+1F45B U+1F45D
        ring = U+1F48D
        diamond = U+1F48E
        lipstick = U+1F484
        ribbon = U+1F380 seasonal/christmas/bow.png
        # clothing / footwear / S
        boot = clothes/hikingboot.svg U+1F97E U+1F462
        high heel* = clothes/red_highheel.svg U+1F460
        shoe = U+1F45E U+1F97F
        sneaker* = U+1F45F
        sandal = U+1F461
        flip-flop = U+1FA74
        ice skate = U+26F8
        roller skate = U+1F6FC
        ballet shoes(pairs of ballet shoes) = U+1FA70
        # music / instrument / M
        trumpet* = hobbies/music/brass/trumpet.png U+1F3BA
        cymbal = hobbies/music/percussion/cymbal_crash.png
        drum = hobbies/music/percussion/drum_tomtom_floor.png U+1F941 U+1FA98
        drum kit:L = hobbies/music/percussion/drumkit.png
        cello = hobbies/music/string/cello.png
        guitar = hobbies/music/string/guitar2.png hobbies/music/string/guitar_classical.png
            hobbies/music/string/guitar_electric.png hobbies/music/string/guitar_electric_bass.png
            hobbies/music/string/guitar_electric_bass2.svg U+1F3B8
        banjo = U+1FA95
        violin = hobbies/music/string/violin.png hobbies/music/string/violin2.svg U+1F3BB
        bassoon* = hobbies/music/wind/bassoon.png
        saxophone = U+1F3B7
        accordion = U+1FA97
        piano keyboard = U+1F3B9
        horn = U+1F4EF
        # sport / ball / S
        basketball = sports/basketball.png
        soccer ball = sports/soccer.png U+26BD
        volleyball = sports/cartoon/volleyball.png U+1F3D0
        football = sports/australian_rules_football.png sports/football.png U+1F3C8
        rugby ball = U+1F3C9
        tennis ball* = sports/tennis_ball.png
        baseball = U+26BE
        cricket ball = sports/cricketball.png
        billiard ball = U+1F3B1
        # sport / sports equipment / M
        tennis racket* = sports/tennis_racket.png U+1F3BE
        badminton racket = U+1F3F8
        ping pong paddle = U+1F3D3
        cricket bat = U+1F3CF
        hockey stick = U+1F3D2 U+1F3D1
        boxing glove = U+1F94A
        bowling pins(sets of bowling pins) = U+1F3B3
        dartboard = U+1F3AF
        trophy(trophies) = sports/trophy_cup.png U+1F3C6
        medal:S = U+1F3C5 U+1F947 U+1F948 U+1F949 U+1F396
        skateboard* = U+1F6F9
        sled = seasonal/winter/sledge.svg U+1F6F7
        skis(pairs of skis) = U+1F3BF
        frisbee = U+1F94F
        boomerang = U+1FA83
        kite = hobbies/kite.svg U+1FA81
        yo-yo:S = U+1FA80
        dice(dice):S = U+1F3B2
        puzzle piece:S = U+1F9E9
        binoculars(pairs of binoculars) = hobbies/binoculars.png
        parachute:L = military/paratrooper.png U+1FA82
        life buoy = U+1F6DF
        goal net:L = U+1F945
        diving mask = U+1F93F
        # plant / flower / S
        flower = plants/flowers/flower1.png plants/flowers/flower2.png plants/flowers/flower3.png
            plants/flowers/flower5.png plants/flowers/flower6.png plants/flowers/flower8.png
            plants/flowers/flower9.png plants/flowers/marigold.png plants/flowers/pigface.png
            plants/flowers/plastic/chuvanna_plastic_poo.png plants/flowers/red-gazania.png
            plants/flowers/yellow-flower.png U+1F33C U+1F338
        rose = plants/flowers/rose.png U+1F339
        daffodil = plants/flowers/daffodil.png seasonal/easter/daffodil.png
        iris(irises) = plants/flowers/iris.png
        hibiscus(hibiscuses) = plants/flowers/flower10.png plants/flowers/adeenia.png plants/flowers/chemparathi.png
            U+1F33A
        anthurium = plants/flowers/anthoorium.png
        poppy(poppies) = plants/flowers/anemone_red.png
        petunia = plants/flowers/whitestar-petunia.png
        tulip* = U+1F337
        sunflower = U+1F33B
        lotus(lotuses) = U+1FAB7
        bouquet:M = U+1F490
        # plant / tree / L
        tree = plants/trees/birch.png plants/trees/holm_oak.png plants/trees/tree336.png plants/lettuce_bolted.png
            U+1F333
        pine tree = U+1F332
        palm tree* = plants/trees/liberia-palm.png U+1F334
        christmas tree = seasonal/christmas/Christmas_Tree_photo.png seasonal/christmas/tree.png U+1F384
        # plant / plant / S
        cactus(cacti):M = U+1F335
        bush(bushes):M = plants/thyme.png plants/lavender.png
        clover = seasonal/clover.svg seasonal/shamrock.svg U+1F340 U+2618
        leaf(leaves) = U+1F341
        herb = U+1F33F
        seedling = U+1F331
        holly(holly sprigs) = plants/trees/holly_leaves.png
        pinecone = plants/trees/pinecone.png
        wreath:M = seasonal/christmas/xmaswreath.png
        log:M = U+1FAB5
        feather = U+1FAB6
        coral:M = U+1FAB8
        # vehicle / car / L
        car = vehicles/auto/beetle.png vehicles/auto/sedan.png vehicles/auto/sportscar.svg
            vehicles/auto/sportscar2.png vehicles/auto/sportscar3.svg U+1F697 U+1F698 U+1F699
        race car = vehicles/race/f1_car.svg vehicles/race/indycar.png U+1F3CE
        police car* = U+1F693 U+1F694
        taxi = U+1F695 U+1F696
        # vehicle / truck / L
        truck = vehicles/auto/truck.png vehicles/blue_truck.svg vehicles/iso_lorry1.svg vehicles/iso_lorry2.svg
            vehicles/iso_lorry3.svg vehicles/iso_lorry4.svg vehicles/toy_truck.svg U+1F69A U+1F69B U+1F6FB
        fire truck = vehicles/emergency/cartoon/fire_engine.png vehicles/emergency/firetruck.png
            vehicles/iso_fireengine.svg U+1F692
        garbage truck* = vehicles/garbagetruck.png
        dump truck = vehicles/construction/cartoon/terex.png
        tow truck = vehicles/construction/cartoon/towTruck.png
        cement truck = vehicles/construction/cartoon/cementMixer.png
        ambulance = U+1F691
        # vehicle / work vehicle / L
        bulldozer = vehicles/construction/cartoon/bulldozer.svg
        forklift = vehicles/construction/cartoon/forklift.svg vehicles/construction/cartoon/forklift2.svg
        tractor = vehicles/farming/cartoon/tractor.svg U+1F69C
        dumper = vehicles/construction/dumper.png
        cement mixer = household/tools/cementmixer.png
        tank = military/vehicles/bradley.png military/vehicles/ww2_german_gun.png
            military/vehicles/infantry-stryker.png
        # vehicle / bus / L
        bus(buses) = vehicles/iso_bus.svg vehicles/masstransit/cartoon/double_decker_bus.png
            vehicles/masstransit/green_korean_bus.png U+1F68C U+1F68D U+1F68E U+1F690
        school bus*(school buses) = vehicles/masstransit/cartoon/schoolbus.svg
        # vehicle / cycle / L
        bicycle = vehicles/cycle/bluebike.svg U+1F6B2
        motorcycle = vehicles/cycle/motorbike.svg U+1F3CD
        motor scooter = U+1F6F5
        kick scooter = U+1F6F4
        tricycle = vehicles/cycle/pink_tricycle.png
        rickshaw = U+1F6FA
        # vehicle / aircraft / L
        airplane = vehicles/flight/planes/747.png vehicles/flight/planes/cartoon/plane.png
            vehicles/flight/planes/plane.svg U+2708 U+1F6E9
        fighter jet = military/vehicles/f22_raptor.png military/vehicles/mustang.svg
        helicopter* = vehicles/flight/cartoon/eddieCopter.png U+1F681
        hot air balloon* = vehicles/flight/balloon360.png
        rocket = space/rocket1.svg space/rocket2.svg space/rocket3.svg space/rocket4.svg space/rocket5.svg
            space/toyrocket.svg U+1F680
        satellite = space/satellite.svg space/voyager2.png U+1F6F0
        flying saucer = U+1F6F8
        # vehicle / train / L
        locomotive = vehicles/locomotive/cartoon/toy_train.png U+1F682
        train = vehicles/locomotive/white_train.svg U+1F684 U+1F685 U+1F686
        train car* = vehicles/locomotive/cartoon/boxcar.png vehicles/locomotive/cartoon/caboose.png
            vehicles/locomotive/cartoon/carriage.png vehicles/locomotive/cartoon/tanker.png
            vehicles/locomotive/cartoon/tender.png U+1F683
        tram = U+1F68A U+1F68B
        # vehicle / boat / L
        sailboat = vehicles/ship/chineseJunk.png vehicles/ship/sail_boat1.svg vehicles/ship/sail_boat2.svg
            vehicles/ship/walnutBoat.png U+26F5
        ship = U+1F6A2 U+1F6F3 U+26F4
        speedboat = U+1F6A4 U+1F6E5
        tugboat = vehicles/ship/cartoon/tugboat.png
        submarine = vehicles/ship/cartoon/bathyscape.png
        canoe* = U+1F6F6
        # vehicle / vehicle part / M
        wheel = vehicles/bikewheel.svg U+1F6DE
        tire = vehicles/7spoke256.png vehicles/tyre_with_rim.svg vehicles/wheel_tractor.png
        # town / building / L
        house = town/houses/cartoon/cityhouse.png town/houses/cartoon/pinkhome.png town/houses/cartoon/swisshome.png
            town/houses/cartoon/wooden_cottage.png U+1F3E0 U+1F3E1
        castle = town/houses/cartoon/fairytale_castle.png town/houses/cartoon/fortress.png U+1F3F0
        church(churches) = town/houses/cartoon/cathedral.png U+26EA
        barn = town/houses/cartoon/stables.png town/houses/cartoon/warehouse.png
        tower = town/houses/cartoon/tower_flag_red.png town/houses/cartoon/tower_round.png
            town/houses/cartoon/tower_round_flag.png town/houses/cartoon/tower_square.png
            town/cartoon/watch_tower.png
        lighthouse = town/houses/cartoon/lighthouse.svg
        windmill* = town/houses/cartoon/windmill.png
        igloo = town/houses/cartoon/igloo.png
        hut = town/houses/cartoon/farm.png town/houses/cartoon/hunter.png U+1F6D6
        office building = U+1F3E2 U+1F3E8
        factory(factories) = U+1F3ED
        temple = town/houses/cartoon/university.png U+1F3DB
        mosque = U+1F54C
        tent = town/houses/cartoon/medieval_tent.png town/houses/cartoon/tent.png town/houses/cartoon/tepee.png
            U+26FA
        circus tent* = town/houses/cartoon/circus.png U+1F3AA
        pyramid = town/monuments/cartoon/pyramid.png
        eiffel tower = town/monuments/cartoon/eiffel_tower.png
        well = town/cartoon/wishing_well.png
        fountain = town/cartoon/fountain.png U+26F2
        gravestone:M = seasonal/halloween/grave-a.png seasonal/halloween/grave-b.png seasonal/halloween/grave-d.png
            seasonal/halloween/grave-e.png seasonal/halloween/grave-g.png seasonal/halloween/grave-h.png
            seasonal/halloween/grave-i.png seasonal/halloween/grave-j.png U+1FAA6
        statue = town/monuments/cartoon/statue.png
        statue of liberty = U+1F5FD
        totem pole = town/monuments/cartoon/totem.png
        ferris wheel = U+1F3A1
        stadium = U+1F3DF
        pier = town/cartoon/docks.png
        stone figure = town/monuments/inukshuk-photo.png town/monuments/inukshuk-outline.png
        # town / street object / M
        stop sign = town/roadsigns/stop.png U+1F6D1
        yield sign* = town/roadsigns/give_way_sign.png town/roadsigns/yield.png
        traffic light = town/roadsigns/stoplight_01_red.png town/roadsigns/stoplight_02_yellow.png
            town/roadsigns/stoplight_03_green.png U+1F6A6 U+1F6A5
        traffic cone = town/roadsigns/traffic_cone.png
        road sign = town/roadsigns/crossroads.png town/roadsigns/roundabout.png town/roadsigns/school_sign.png
            town/roadsigns/t-junction.png town/roadsigns/xing_school.png town/roadsigns/xing_ped.png
            vehicles/locomotive/cartoon/trainSign.png town/roadsigns/blankroadsign.svg
        no entry sign = town/roadsigns/no_entry_sign.png U+26D4
        hospital sign = town/roadsigns/hospital.png
        mailbox(mailboxes) = town/uk_post_box.png town/usps_mailbox.png U+1F4EE
        fuel pump = U+26FD
        bus stop = U+1F68F
        flag = town/flags/blue-and-yellowflag.png town/flags/greenflag.png town/flags/redflag.png
            town/flags/whiteflag.png town/flags/yellowflag.png U+1F6A9 U+1F3F3 U+1F3F4
        checkered flag = town/flags/checkeredflag.png U+1F3C1
        barber pole = U+1F488
        # sky / sky / M
        moon = space/moon/moon_3qt.png space/moon/moon_crescent.png space/moon/moon_full.png U+1F315 U+1F319
        sun = U+2600 U+1F31E
        cloud = U+2601
        rainbow = U+1F308
        star:S = seasonal/christmas/star.png U+2B50
        snowflake:S = seasonal/winter/snowflake.svg U+2744
        lightning bolt:S = U+26A1
        tornado(tornadoes) = U+1F32A
        volcano(volcanoes):L = U+1F30B
        mountain:L = U+26F0 U+1F3D4
        fire = naturalforces/fire.png U+1F525
        wave = U+1F30A
        rock = U+1FAA8
        water drop:S = U+1F4A7
        # sky / planet / M
        planet = space/planets/2_venus.png space/planets/4_mars.png space/planets/5_jupiter.png
            space/planets/7_uranus.png space/planets/8_neptune.png
        ringed planet = space/planets/6_saturn.png U+1FA90
        # person / person / L
        person(people) = people/cartoon/girl_in_wheelchair.svg people/cartoon/man_in_suit.svg
            people/cartoon/woman_chemist.svg people/cartoon/woman_dancing.svg people/cartoon/woman_doctor.svg
            people/cartoon/woman_nurse.svg U+1F6B6 U+1F9CD U+1F9CE U+1F3C3 U+1F483 U+1F57A
        police officer = people/cartoon/woman_police_officer_1.svg people/cartoon/woman_police_officer_2.svg
        firefighter = people/fireman200b.png people/fireman240a.png
        astronaut* = space/spacewalk.png
        # person / character / M
        santa claus(santa clauses) = seasonal/christmas/Santa.png U+1F385
        mermaid = people/cartoon/mermaid.png U+1F9DC
        scarecrow = people/cartoon/scarecrow.svg
        snowman*(snowmen) = people/cartoon/snowman.png seasonal/winter/snowman.svg seasonal/winter/snowman2.svg
            U+26C4 U+2603
        ghost = U+1F47B
        alien = U+1F47D U+1F47E
        robot = U+1F916
        skull = U+1F480
        clown face = U+1F921
        jack-o'-lantern = seasonal/halloween/jackolantern_mean.png U+1F383
        smiley face = U+1F600 U+1F642 U+1F60A U+1F604 U+1F60E
        eye:S = people/body_parts/eye.png people/body_parts/eye_blue_left.svg people/body_parts/eye_brown_left.svg
            people/body_parts/eye_green_left.svg U+1F441
        ear:S = U+1F442
        nose:S = U+1F443
        mouth:S = U+1F444
        hand:S = symbols/shapes/hand.png U+270B U+1F590
        brain:S = U+1F9E0
        mustache:S = people/body_parts/moustache.svg
        wig* = people/body_parts/wig.svg people/body_parts/hair_manga.svg people/body_parts/hair_manga_2.svg
        # symbol / symbol / S
        heart = symbols/shapes/heart.svg U+2764 U+1F499 U+1F49A U+1F49B U+1F49C U+1F9E1 U+1F5A4 U+1F90D U+1F90E
        speech bubble = symbols/shapes/scream_balloon.png symbols/shapes/speech_balloon.png U+1F4AC
        dreidel = seasonal/hanukkah/dreydl.png seasonal/hanukkah/dreydl-gimmel.png seasonal/hanukkah/dreydl-hay.png
        menorah = seasonal/hanukkah/menorah.png
        easter egg = seasonal/easter/wrapped_chocolate_easter_egg.png
            seasonal/easter/wrapped_chocolate_easter_egg_2.png
        chess king = symbols/chess/b_1_king.png symbols/chess/w_1_king.png
        chess queen = symbols/chess/b_2_queen.png symbols/chess/w_2_queen.png
        chess knight = symbols/chess/b_4_knight.png symbols/chess/w_4_knight.png
        chess rook* = symbols/chess/b_5_rook.png symbols/chess/w_5_rook.png
        chess pawn = symbols/chess/b_6_pawn.png symbols/chess/w_6_pawn.png U+265F
        """

    /// Photographs and patterns that show none of the categories, below the folders of three wallpaper packages.
    static let backgrounds = """
        gnome/adwaita-l.webp gnome/grid-d.webp gnome/truchet-l.webp gnome/wood-d.webp gnome/wood-l.webp
        plasma/Altai/contents/images/1080x1920.png plasma/BytheWater/contents/images/2560x1600.jpg
        plasma/Canopee/contents/screenshot.png plasma/Cascade/contents/screenshot.png
        plasma/Cluster/contents/screenshot.png plasma/ColdRipple/contents/images/2560x1600.jpg
        plasma/DarkestHour/contents/images/2560x1600.jpg plasma/Elarun/contents/images/2560x1600.png
        plasma/Flow/contents/images/720x1440.jpg plasma/Flow/contents/images_dark/720x1440.jpg
        plasma/Grey/contents/images/2560x1600.jpg plasma/Honeywave/contents/images/1080x1920.jpg
        plasma/Kay/contents/images/1080x1920.png plasma/Kokkini/contents/screenshot.png
        plasma/MilkyWay/contents/images/1080x1920.png plasma/Opal/contents/screenshot.png
        plasma/PastelHills/contents/images/3200x2000.jpg plasma/Path/contents/images/2560x1600.jpg
        plasma/Shell/contents/images/720x1440.jpg plasma/Volna/contents/screenshot.png
        plasma/summer_1am/contents/images/2560x1600.jpg mate/abstract/Elephants.jpg mate/desktop/Stripes.png
        mate/desktop/Ubuntu-Mate-Cold-no-logo.png mate/desktop/Ubuntu-Mate-Radioactive-no-logo.png
        mate/desktop/Ubuntu-Mate-Warm-no-logo.png mate/nature/Blinds.jpg mate/nature/Dune.jpg
        mate/nature/GreenMeadow.jpg mate/nature/RainDrops.jpg mate/nature/Storm.jpg mate/nature/Wood.jpg
        """
}
